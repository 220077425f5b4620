"""One operation, confirmed once (RFC 9396, ``confirm_operation``)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.helpers.user_agent import Departure
from tests.step_up.conftest import Welcome
from tests.step_up.ours import Ours
from tests.step_up.test_tokens import OFFLINE, introspected, payload
from tests.step_up.visit import Visit, page_of

ORDER = {
    "type": "confirm_operation",
    "id": "order-4711",
    "title": "Pay for your order",
    "amount": {"value": "40.00", "currency": "EUR"},
    "payee": "ACME Lanterns",
    "fields": [{"label": "Order", "value": "4711"}],
}


def asking(operation: object = ORDER) -> dict[str, object]:
    return {"authorization_details": json.dumps([operation])}


@pytest.fixture
def visit(welcome: Welcome) -> Visit:
    """Signed in by a passkey that could confirm anything, a while ago."""
    found = welcome("totp", "passkey", role="confirming")
    types = found.client.metadata.get("authorization_details_types_supported", [])
    if ORDER["type"] not in types:
        pytest.skip("the issuer confirms no operations")
    found.sign_in("passkey", acr_values=found.issuer.names.phishing_resistant)
    found.wait(1)
    return found


def carried(told: Mapping[str, Any]) -> dict[str, Any]:
    (detail,) = told["authorization_details"]
    return dict(detail)


def test_what_is_confirmed_is_on_the_page_and_comes_back(visit: Visit) -> None:
    before = visit.issuer.now()
    page = page_of(visit.ask(**asking()))
    for shown in ("Pay for your order", "40.00", "ACME Lanterns", "4711"):
        assert shown in page.document.text
    tokens = visit.tokens(visit.answer(page, "passkey"))
    detail = carried(tokens.claims)
    confirmed = detail.pop("confirmed")
    assert detail == ORDER
    assert confirmed["at"] >= before
    assert "pop" in confirmed["amr"]
    assert tokens.claims["auth_time"] >= before


def test_every_token_carries_it(visit: Visit) -> None:
    tokens = visit.sign_in("passkey", **asking())
    told = introspected(visit.client, tokens.access_token)
    assert carried(told) == carried(tokens.claims)
    if tokens.access_token.count(".") == 2:
        assert carried(payload(tokens.access_token)) == carried(tokens.claims)


def test_the_session_at_hand_confirms_nothing(visit: Visit) -> None:
    assert isinstance(visit.ask(), Departure)  # the control
    assert visit.asks(visit.ask(**asking()))
    assert visit.silently(**asking()) == "interaction_required"


def test_a_confirmation_confirms_nothing_else(visit: Visit) -> None:
    visit.sign_in("passkey", **asking())
    assert visit.asks(visit.ask(**asking()))
    assert visit.asks(visit.ask(**asking({**ORDER, "id": "order-4712"})))
    assert "authorization_details" not in visit.again().claims


def test_it_is_proved_anew_and_by_more_than_a_code(visit: Visit) -> None:
    assert visit.offers(visit.ask(**asking())) == ("passkey",)


def test_a_signature_over_one_operation_is_none_over_another(visit: Visit) -> None:
    cheap = page_of(visit.ask(**asking()))
    dear_order = {**ORDER, "amount": {"value": "4000.00", "currency": "EUR"}}
    dear = page_of(visit.ask(**asking(dear_order)))
    hook = visit.issuer.drive
    name = hook.fields["passkey"]
    form = next(one for one in dear.document.forms if name in one.inputs)
    other = next(one for one in cheap.document.forms if name in one.inputs)
    signed = visit.person.assertion(cheap)
    button = form.scripted[0] if form.scripted else None
    refused = visit.agent.submit(dear, form, {name: signed}, button=button)
    assert not isinstance(refused, Departure)
    button = other.scripted[0] if other.scripted else None
    visit.tokens(visit.agent.submit(cheap, other, {name: signed}, button=button))  # the control


def test_whoever_cancels_confirms_nothing(visit: Visit) -> None:
    place = visit.press(visit.ask(**asking()), visit.issuer.drive.cancel)
    assert visit.refusal(place)["error"] == "access_denied"


def test_nothing_refreshes_a_confirmation(visit: Visit) -> None:
    assert "refresh_token" in visit.again(scope=OFFLINE).raw  # the control
    assert "refresh_token" not in visit.sign_in("passkey", scope=OFFLINE, **asking()).raw


def test_a_key_that_verifies_nobody_confirms_beside_a_password(welcome: Welcome) -> None:
    visit = welcome(role="confirming")
    if not isinstance(visit.issuer, Ours):
        pytest.skip("nobody's key in a file only senses a touch")
    visit.person.passkeys = visit.issuer.key(visit.person, uv=False)
    place = visit.ask(**asking())
    place = visit.answer(place, "password")
    assert visit.offers(place) == ("passkey",)
    place = visit.answer(place, "passkey", uv=False)
    assert {"pwd", "pop", "mfa"} <= set(carried(visit.tokens(place).claims)["confirmed"]["amr"])


MALFORMED: dict[str, object] = {
    "no title": {k: v for k, v in ORDER.items() if k != "title"},
    "something that would not be shown": {**ORDER, "hidden": "extra"},
    "an amount that reads otherwise elsewhere": {
        **ORDER,
        "amount": {"value": "4,000", "currency": "EUR"},
    },
    "a type that nobody knows": {**ORDER, "type": "urn:example:of-another-world"},
}


@pytest.mark.parametrize("operation", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_shown_as_it_is_is_refused(visit: Visit, operation: object) -> None:
    """RFC 9396, 5."""
    assert visit.error(**asking(operation)) == "invalid_authorization_details"
