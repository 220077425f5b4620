"""Whoever is refused again and again: always refused, locks out nobody, and fills no log."""

from datetime import timedelta

import httpx
from sqlalchemy import func, select

from idp.models import AuditEvent, Counter, db
from idp.services import repeated
from tests.oidc.desk import Desk, code_form, on_both
from tests.oidc.test_client_authentication import assert_refused, basic

REFUSED = "client.authentication.refused"
FORM = {"grant_type": "authorization_code", "code": "x"}


def refuse(desk: Desk, *, times: int, address: str = "198.51.100.7", client: str = "shop") -> None:
    """That often, with a wrong secret, from one address."""
    transport = httpx.WSGITransport(desk.app, remote_addr=address)
    with httpx.Client(transport=transport, base_url=desk.settings.issuer) as http:
        for _ in range(times):
            answer = http.post("/oauth/token", data=FORM, headers=basic(client, "wrong"))
            assert answer.status_code == 401


def rows(desk: Desk) -> int:
    with desk.app.app_context():
        found = select(func.count()).select_from(AuditEvent).where(AuditEvent.name == REFUSED)
        return int(db.session.scalar(found) or 0)


def already(desk: Desk, count: int, *what: str, name: str = REFUSED) -> None:
    """As if so many had been refused before."""
    bucket = repeated._bucket(0, name, *what)
    with desk.rows():
        db.session.merge(
            Counter(
                key=bucket.key,
                count=count,
                window_start=desk.clock(),
                expires_at=desk.clock() + bucket.window,
            )
        )


ALIKE = ("alike", "c6336407/32", "shop", "client_secret_basic", "secret")


@on_both
def test_the_same_refusal_is_written_down_so_often_and_then_counted(desk: Desk) -> None:
    desk.client()
    refuse(desk, times=1)
    assert rows(desk) == 1
    already(desk, repeated.ALIKE - 1, *ALIKE)
    refuse(desk, times=5)
    assert rows(desk) == 2
    already(desk, 999, *ALIKE)
    refuse(desk, times=3)
    assert rows(desk) == 3
    assert desk.events(REFUSED)[-1].data["times"] == 1000


@on_both
def test_later_each_has_its_row_again(desk: Desk) -> None:
    desk.client()
    already(desk, repeated.ALIKE, *ALIKE)
    refuse(desk, times=1)
    assert rows(desk) == 0
    desk.clock.set(desk.clock() + repeated.WINDOW + timedelta(seconds=1))
    refuse(desk, times=1)
    assert rows(desk) == 1


@on_both
def test_another_network_has_rows_of_its_own_until_there_are_too_many_everywhere(
    desk: Desk,
) -> None:
    desk.client()
    already(desk, repeated.ALIKE, *ALIKE)
    refuse(desk, times=1, address="203.0.113.9")
    assert rows(desk) == 1
    already(desk, repeated.EVERYWHERE, "all")
    refuse(desk, times=1, address="192.0.2.1")
    assert rows(desk) == 1


@on_both
def test_names_that_are_made_up_are_one_to_the_log(desk: Desk) -> None:
    desk.client()
    already(desk, repeated.ALIKE, "alike", "c6336407/32", "", "client_secret_basic", "unknown")
    for number in range(3):
        refuse(desk, times=1, client=f"nobody-{number}")
    assert rows(desk) == 0


@on_both
def test_the_counts_are_three_whatever_is_alike(desk: Desk) -> None:
    """Two of one key in one statement are an error to PostgreSQL, and counted twice by SQLite."""
    for alike in ((), ("shop",)):
        for address in ("198.51.100.7", "2001:db8::1", "", "no address"):
            keys = [one.key for one in repeated._buckets(REFUSED, address, alike)]
            assert len(set(keys)) == len(keys) >= 3


@on_both
def test_a_public_clients_proofs_that_do_not_hold_are_counted_too(desk: Desk) -> None:
    """Anybody knows its id, and sends them."""
    client = desk.client(token_endpoint_auth_method="none").client_id
    transport = httpx.WSGITransport(desk.app, remote_addr="198.51.100.7")
    with httpx.Client(transport=transport, base_url=desk.settings.issuer) as http:

        def refuse_proof() -> None:
            form = {**FORM, "client_id": client}
            answer = http.post("/oauth/token", data=form, headers={"DPoP": "none"})
            assert answer.json()["error"] == "invalid_dpop_proof"

        refuse_proof()
        assert len(desk.events("binding.refused")) == 1
        alike = ("alike", "c6336407/32", client, "invalid_dpop_proof")
        already(desk, repeated.ALIKE, *alike, name="binding.refused")
        refuse_proof()
        assert len(desk.events("binding.refused")) == 1


@on_both
def test_who_is_right_is_let_in_whatever_others_send(desk: Desk) -> None:
    party = desk.client()
    for what in (("all",), ("network", "c6336407/32"), ALIKE):
        already(desk, 10 * repeated.EVERYWHERE, *what)
    refuse(desk, times=2)
    response: httpx.Response = party.token_request(**code_form(desk.code(party)))
    assert response.status_code == 200
    assert_refused(desk.post("/oauth/token", FORM, headers=basic("shop", "wrong")))


@on_both
def test_a_public_client_s_id_fills_no_log_either(desk: Desk) -> None:
    """Anybody can say it, and send codes and refresh tokens that never were."""
    desk.client(token_endpoint_auth_method="none")
    local, form = "7f000001/32", {"client_id": "shop"}
    already(desk, repeated.ALIKE - 1, "alike", local, "shop", "unknown", name="code.refused")
    already(desk, repeated.ALIKE - 1, "alike", local, "shop", "unknown", name="token.refused")
    for _ in range(3):
        code = {**FORM, "redirect_uri": "https://shop.example.com/callback", **form}
        assert desk.post("/oauth/token", code).json()["error"] == "invalid_grant"
        token = {"grant_type": "refresh_token", "refresh_token": "x" * 43, **form}
        assert desk.post("/oauth/token", token).json()["error"] == "invalid_grant"
    assert len(desk.events("code.refused")) == 1
    assert len(desk.events("token.refused")) == 1
