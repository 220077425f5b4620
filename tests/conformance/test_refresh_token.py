"""refresh-token, as it must hold over a long life: lost answers, theft, limits, and its ends."""

from collections.abc import Callable
from typing import Any

import pytest

from idp.services.signing_out import end_session
from idp.web.services import Services
from tests.conformance.conftest import SignIn
from tests.helpers.clock import FakeClock
from tests.helpers.house import PASSWORD, House, Person
from tests.helpers.relying_party import (
    AuthorizationFailed,
    RelyingParty,
    TokenRefused,
    Tokens,
)
from tests.web.walking import newcomer, sessions_of, tokens_of, user_of

OFFLINE: dict[str, Any] = {"scope": "openid email offline_access", "prompt": "consent"}
BOTH_GRANTS = ["authorization_code", "refresh_token"]


def application(op: House, **members: Any) -> RelyingParty:
    return op.client(**{"grant_types": BOTH_GRANTS, **members})


@pytest.fixture
def client(op: House) -> RelyingParty:
    return application(op)


@pytest.fixture
def tokens(client: RelyingParty, log_in: SignIn) -> Tokens:
    return client.finish(log_in(client, **OFFLINE))


def renewed(client: RelyingParty, token: str, **form: str) -> dict[str, Any]:
    response = client.token_request(grant_type="refresh_token", refresh_token=token, **form)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def is_refused(client: RelyingParty, token: str) -> bool:
    response = client.token_request(grant_type="refresh_token", refresh_token=token)
    if response.status_code == 200:
        return False
    assert response.json()["error"] in ("invalid_grant", "invalid_client")
    return True


def is_good(client: RelyingParty, access_token: str) -> bool:
    try:
        return bool(client.userinfo(access_token))
    except TokenRefused:
        return False


def test_the_old_token_still_works_30_seconds_later(
    op: House, client: RelyingParty, tokens: Tokens
) -> None:
    lost = renewed(client, tokens.refresh_token)
    op.clock.advance(seconds=30)
    again = renewed(client, tokens.refresh_token)
    assert again["refresh_token"] == lost["refresh_token"] != tokens.refresh_token
    assert again["access_token"] != lost["access_token"]
    assert is_good(client, lost["access_token"])
    assert is_good(client, again["access_token"])


def test_a_stolen_token_ends_the_line_for_the_thief_as_well(
    op: House, client: RelyingParty, tokens: Tokens
) -> None:
    mine = renewed(client, tokens.refresh_token)
    op.clock.advance(seconds=31)
    assert is_good(client, mine["access_token"])
    assert is_refused(client, tokens.refresh_token)
    assert not is_good(client, mine["access_token"])
    assert is_refused(client, mine["refresh_token"])


def test_a_client_may_keep_its_token(op: House, log_in: SignIn) -> None:
    keeper = application(op, refresh_token_rotation=False)
    token = keeper.finish(log_in(keeper, **OFFLINE)).refresh_token
    for _ in range(2):
        op.clock.advance(seconds=60)
        assert renewed(keeper, token)["refresh_token"] == token


def test_less_scope_once_and_all_of_it_again(client: RelyingParty, tokens: Tokens) -> None:
    less = renewed(client, tokens.refresh_token, scope="openid")
    assert "email" not in client.userinfo(less["access_token"])
    assert "email" in client.userinfo(renewed(client, less["refresh_token"])["access_token"])


# --- offline_access (OIDC Core 11) -----------------------------------------------------------


def test_it_is_asked_for_and_then_remembered(
    client: RelyingParty, op: House, alice: Person
) -> None:
    agent = op.browser()
    assert "refresh_token" not in tokens_of(agent, client, alice).raw
    silently: dict[str, Any] = {"scope": "openid offline_access", "prompt": "none"}
    with pytest.raises(AuthorizationFailed) as refused:
        tokens_of(agent, client, **silently)
    assert refused.value.error == "consent_required"
    assert "refresh_token" in tokens_of(agent, client, alice, **OFFLINE).raw
    assert "refresh_token" in tokens_of(agent, client, **silently).raw


def test_it_is_ignored_where_nothing_would_come_of_it(op: House, log_in: SignIn) -> None:
    other = op.client(grant_types=["authorization_code"])
    told = other.finish(log_in(other, scope="openid offline_access")).raw
    assert "refresh_token" not in told
    assert told["scope"] == "openid"


# --- the ends of a line ----------------------------------------------------------------------


def _end_session(services: Services, op: House, person: Person) -> None:
    (session,) = sessions_of(op, person)
    end_session(session.id, user_id=person.id, context=op.context, reason="by_owner")
    services.commit()


End = Callable[[Services, House, Person, RelyingParty], object]


ENDS: dict[str, End] = {
    "the person is disabled": lambda s, op, person, _: s.accounts.disable(
        user_of(s, person), op.context
    ),
    "the password is set": lambda s, op, person, _: s.accounts.set_password(
        user_of(s, person), f"{PASSWORD} again", op.context
    ),
    "the account is deleted": lambda s, op, person, _: s.accounts.delete(
        user_of(s, person), op.context
    ),
    "the account is to be deleted": lambda s, op, person, _: s.deletion.request(
        user_of(s, person), person.email, op.context
    ),
    "the consent is taken back": lambda s, op, person, client: s.consents.revoke(
        person.id, client.client_id, context=op.context
    ),
    "the session is ended from afar": lambda s, op, person, _: _end_session(s, op, person),
    "the client is disabled": lambda s, op, _, client: s.client_registry.disable(
        client.client_id, op.context
    ),
    "the client is deleted": lambda s, op, _, client: s.client_registry.delete(
        client.client_id, op.context
    ),
}


@pytest.mark.parametrize("rotation", [True, False], ids=["rotating", "staying"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_is_over_when(op: House, end: End, rotation: bool) -> None:
    client, person = application(op, refresh_token_rotation=rotation), newcomer(op)
    bystander = newcomer(op)
    lines = [tokens_of(op.browser(), client, one, **OFFLINE) for one in (person, bystander)]
    now = [renewed(client, line.refresh_token) for line in lines]
    op.do(lambda services: end(services, op, person, client))
    assert is_refused(client, now[0]["refresh_token"])
    assert not is_good(client, now[0]["access_token"])
    of_the_client = not op.do(lambda s: _is_open(s, client))
    assert is_refused(client, now[1]["refresh_token"]) is of_the_client


def _is_open(services: Services, client: RelyingParty) -> bool:
    found = services.clients.get(client.client_id)
    return found is not None and not found.disabled


def test_a_restart_forgets_nothing(op: House, client: RelyingParty, tokens: Tokens) -> None:
    mine = renewed(client, tokens.refresh_token)
    revoked = renewed(client, mine["refresh_token"])
    restarted = House(op.settings.database_url, FakeClock(op.clock()))
    client.http = restarted.http()
    assert is_good(client, revoked["access_token"])
    client.post(client.metadata["revocation_endpoint"], {"token": revoked["refresh_token"]})
    again = House(op.settings.database_url, FakeClock(op.clock()))
    client.http = again.http()
    assert is_refused(client, revoked["refresh_token"])
    assert not is_good(client, revoked["access_token"])
