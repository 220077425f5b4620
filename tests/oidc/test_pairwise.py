"""Pairwise subjects: one name in each sector, wherever it leaves and however it comes back."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import delete, select, update

from idp.audit import Context
from idp.models import StoredSecret, db
from idp.oidc.expected import expected_person
from idp.protocol.claims import ClaimsRequest
from idp.protocol.errors import OAuthError
from idp.protocol.registration import InvalidClientMetadata
from idp.secrecy import Box
from idp.services import stored_secrets
from idp.services.clients import RegisteredClient
from idp.services.granted import Granted
from idp.services.keys import KeysUnreadable
from idp.services.stored_secrets import NotPrepared
from idp.services.subjects import Subjects
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import Pending, RelyingParty, Tokens
from tests.oidc.desk import Desk, payload_of
from tests.services.people import (
    CALLBACK,
    VERIFIER,
    agree,
    as_registered,
    granted_to,
    request_of,
)

OTHER_HOST = "https://wiki.example.org/callback"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def of_sector(client_id: str, redirect_uri: str = CALLBACK, **members: Any) -> RegisteredClient:
    wanted = {"subject_type": "pairwise", "redirect_uris": [redirect_uri], **members}
    return as_registered(client_id, **wanted)


def told(desk: Desk, client: RegisteredClient, user_id: str = "ann") -> str:
    with desk.app.app_context():
        return Subjects(desk.services.box).of(client, user_id)


SAME = {
    "another client on the same host": of_sector("b", "https://shop.example.com/other"),
    "another port": of_sector("b", "https://shop.example.com:8443/callback"),
    "a document on that host": of_sector(
        "b", OTHER_HOST, sector_identifier_uri="https://shop.example.com/sector.json"
    ),
}
ANOTHER = {
    "another host": of_sector("b", OTHER_HOST),
    "a host below it": of_sector("b", "https://a.shop.example.com/callback"),
    "a document elsewhere": of_sector(
        "b", sector_identifier_uri="https://wiki.example.org/sector.json"
    ),
}


@pytest.mark.parametrize("client", SAME.values(), ids=SAME)
def test_the_sector_is_the_same_for(desk: Desk, client: RegisteredClient):
    assert told(desk, client) == told(desk, of_sector("a"))


@pytest.mark.parametrize("client", ANOTHER.values(), ids=ANOTHER)
def test_the_sector_is_another_for(desk: Desk, client: RegisteredClient):
    assert told(desk, client) != told(desk, of_sector("a"))


def test_a_subject_tells_nothing_and_is_no_longer_than_it_may_be(desk: Desk):
    subject = told(desk, of_sector("a"), "x" * 22)
    assert len(subject) == 51
    assert subject.isascii()
    assert told(desk, of_sector("a"), "y" * 22)[:22] != subject[:22]
    assert told(desk, as_registered("a")) == "ann"


def test_it_stays_what_it_is_after_a_restart_and_under_a_new_deployment_key(desk: Desk):
    before = told(desk, of_sector("a"))
    new_key = Fernet.generate_key().decode()
    with desk.app.app_context():
        both = Box([new_key, *desk.settings.keys])
        stored_secrets.prepare(both, desk.clock())
        db.session.commit()
        # Prepared with both, it no longer hangs on the old one.
        assert Subjects(Box([new_key])).of(of_sector("a"), "ann") == before
        with pytest.raises(KeysUnreadable):
            Subjects(desk.services.box).of(of_sector("a"), "ann")


def test_the_secret_is_made_once_kept_sealed_and_missed_when_it_is_not_there(desk: Desk):
    with desk.app.app_context():
        (sealed,) = db.session.scalars(select(StoredSecret.sealed)).all()
        stored_secrets.prepare(desk.services.box, desk.clock())
        assert db.session.scalars(select(StoredSecret.sealed)).all() == [sealed]
        assert len(stored_secrets.read(desk.services.box, "pairwise")) == 64
        assert desk.services.box.open(sealed) not in sealed
        db.session.execute(delete(StoredSecret))
        with pytest.raises(NotPrepared):
            Subjects(desk.services.box).of(of_sector("a"), "ann")


def test_a_secret_that_cannot_be_read_stops_the_start(desk: Desk):
    stranger = Box([Fernet.generate_key().decode()])
    with desk.app.app_context():
        db.session.execute(update(StoredSecret).values(sealed=stranger.seal("x")))
        db.session.commit()
        with pytest.raises(KeysUnreadable):
            desk.services.key_rotation.prepare(Context(at=desk.clock()))


# --- everywhere that it leaves --------------------------------------------------------------


class Sector:
    """A pairwise client and what a grant to it buys."""

    def __init__(self, desk: Desk, client_id: str = "shop", **members: Any) -> None:
        self.desk = desk
        self.party: RelyingParty = desk.client(client_id, subject_type="pairwise", **members)
        with desk.app.app_context():
            registered = desk.services.clients.get(client_id)
            assert registered is not None
            self.client = registered

    def tokens(self) -> Tokens:
        desk, scope = self.desk, ("openid", "offline_access")
        with desk.app.app_context():
            granted = granted_to(self.client.id, desk.clock(), scope=scope)
            pairwise = desk.services.subjects.pairwise(self.client, "ann")
            named = Granted(**{**fields_of(granted), "pairwise": pairwise})
            agree(self.client.id, desk.clock())
            code = desk.services.grants.issue_code(
                named, request_of(self.client.id), now=desk.clock()
            )
            db.session.commit()
        return self.party.exchange(code, Pending("n-1", VERIFIER, CALLBACK))


def fields_of(granted: Granted) -> dict[str, Any]:
    return {name: getattr(granted, name) for name in Granted.__dataclass_fields__}


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_one_and_the_same_subject_leaves_by_every_door(desk: Desk, access_token_format: str):
    sector = Sector(desk, access_token_format=access_token_format)
    subject = told(desk, sector.client)
    tokens = sector.tokens()
    assert tokens.claims["sub"] == subject != "ann"
    assert sector.party.userinfo(tokens.access_token)["sub"] == subject
    if access_token_format == "jwt":
        assert payload_of(tokens.access_token)["sub"] == subject
    for token in (tokens.access_token, tokens.refresh_token):
        endpoint = sector.party.metadata["introspection_endpoint"]
        answer = sector.party.post(endpoint, {"token": token}).json()
        assert (answer["active"], answer["sub"]) == (True, subject)
    assert sector.party.refresh(tokens).claims["sub"] == subject
    everything = f"{tokens.raw} {payload_of(tokens.id_token)}"
    assert '"ann"' not in everything.replace("'sid': 'ann'", "")


def test_a_line_keeps_its_subject_when_the_registration_changes(desk: Desk):
    sector = Sector(desk)
    tokens = sector.tokens()
    members = {
        "redirect_uris": [OTHER_HOST],
        "grant_types": ["refresh_token", "authorization_code"],
    }
    with desk.rows():
        desk.services.client_registry.update("shop", members, desk.context)
    assert sector.party.refresh(tokens).claims["sub"] == tokens.claims["sub"]


def test_it_is_advertised_and_may_be_registered(desk: Desk):
    assert desk.http.get("/.well-known/openid-configuration").json()["subject_types_supported"] == [
        "public",
        "pairwise",
    ]
    with pytest.raises(InvalidClientMetadata) as refused:
        desk.client("two", subject_type="pairwise", redirect_uris=[CALLBACK, OTHER_HOST])
    assert [name for name, _ in refused.value.problems] == ["sector_identifier_uri"]


# --- and when it comes back -----------------------------------------------------------------


def person(desk: Desk, client: RegisteredClient, **request: Any) -> str | None:
    """Whom a request is about."""
    with desk.app.app_context():
        return expected_person(
            request_of(client.id, **request),
            client,
            read_hint=lambda hint, *, client_id: hint,
            subjects=desk.services.subjects,
        )


def naming(subject: str) -> ClaimsRequest:
    return ClaimsRequest.parse(f'{{"id_token": {{"sub": {{"value": "{subject}"}}}}}}')


def test_a_hint_and_a_claimed_subject_lead_back_to_the_person(desk: Desk):
    client = of_sector("shop")
    subject = told(desk, client)
    assert person(desk, client) is None
    assert person(desk, client, id_token_hint=subject) == "ann"
    assert person(desk, client, claims=naming(subject)) == "ann"
    assert person(desk, client, id_token_hint=subject, claims=naming(subject)) == "ann"
    assert person(desk, as_registered("shop"), claims=naming("ann")) == "ann"


def foreign(desk: Desk) -> dict[str, str]:
    client = of_sector("shop")
    return {
        "the account's own id": "ann",
        "another sector's": told(desk, of_sector("b", OTHER_HOST)),
        "one that was changed": told(desk, client)[:-4] + "AAAA",
        "nonsense": "%%%",
        "something long": "a" * 300,
        "not even ASCII": "\u00e4nn",
    }


@pytest.mark.parametrize(
    "which",
    [
        *("the account's own id", "another sector's", "one that was changed", "nonsense"),
        *("something long", "not even ASCII"),
    ],
)
def test_what_a_client_was_never_told_names_nobody(desk: Desk, clock: FakeClock, which: str):
    client, subject = of_sector("shop"), foreign(desk)[which]
    for request in ({"id_token_hint": subject}, {"claims": naming(subject)}):
        with pytest.raises(OAuthError) as refused:
            person(desk, client, **request)
        assert refused.value.error == "invalid_request"


def test_two_people_at_once_are_refused(desk: Desk):
    client = of_sector("shop")
    ann, bob = told(desk, client), told(desk, client, "bob")
    with pytest.raises(OAuthError):
        person(desk, client, id_token_hint=ann, claims=naming(bob))
