"""Changes of how somebody signs in, in sentences."""

import pytest

from idp.services.notices import sentence

SAID = [
    ("passkey", "added", "1Password", "A passkey was added: 1Password."),
    ("passkey", "added", "Passkey", "A passkey was added."),
    ("passkey", "added", "Passkey 2", "A passkey was added: Passkey 2."),
    ("passkey", "removed", None, "A passkey was deleted."),
    ("totp", "refused", None, "A code from an authenticator app was wrong while setting it up."),
    ("riddle", "refused", None, "A way to sign in was not set up."),
]


@pytest.mark.parametrize(("method", "action", "label", "said"), SAID, ids=[one[3] for one in SAID])
def test_what_happened_is_said_once(method: str, action: str, label: str | None, said: str) -> None:
    assert sentence(method, action, label) == said
