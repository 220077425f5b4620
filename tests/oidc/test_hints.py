"""ID tokens that come back as hints."""

from datetime import timedelta

import pytest

from idp.oidc.hints import IdTokenHints
from idp.protocol.errors import OAuthError
from tests.helpers.clock import FakeClock
from tests.oidc.desk import Desk


@pytest.fixture
def read(desk: Desk):
    hints = IdTokenHints(desk.settings, desk.services.keys, desk.clock)

    def read(hint: str, client_id: str = "shop") -> str:
        with desk.app.app_context():
            return hints(hint, client_id=client_id)

    return read


def test_a_hint_names_its_subject_also_when_it_has_expired(desk: Desk, read, clock: FakeClock):
    hint = desk.tokens(desk.client()).id_token
    assert read(hint) == "ann"
    clock.set(clock() + timedelta(hours=8))
    assert read(hint) == "ann"


@pytest.mark.parametrize(
    ("hint", "client_id"),
    [
        pytest.param(lambda tokens: tokens.id_token, "rival", id="another client's"),
        pytest.param(lambda tokens: tokens.access_token, "shop", id="an access token"),
        pytest.param(lambda tokens: tokens.id_token[:-8] + "AAAAAAAA", "shop", id="forged"),
        pytest.param(lambda tokens: "nonsense", "shop", id="nonsense"),
    ],
)
def test_a_hint_that_is_not_ours_is_refused(desk: Desk, read, hint, client_id: str):
    tokens = desk.tokens(desk.client())
    with pytest.raises(OAuthError) as refused:
        read(hint(tokens), client_id)
    assert refused.value.error == "invalid_request"
    assert read(tokens.id_token)


def test_an_encrypted_hint_is_told_to_be_decrypted(desk: Desk, read):
    with pytest.raises(OAuthError, match="id_token_hint is encrypted") as refused:
        read("a.b.c.d.e")
    assert refused.value.error == "invalid_request"
