"""The ways to prove it, in the order in which pages show them. A new one is one more line."""

from idp.factors.base import Factor, Tools
from idp.factors.magic_link import MagicLink
from idp.factors.passkey import Passkey
from idp.factors.password import Password
from idp.factors.recovery_code import RecoveryCode
from idp.factors.totp import Totp

FACTORS: tuple[type[Factor], ...] = (
    Password,
    Passkey,
    MagicLink,
    Totp,
    RecoveryCode,
)


def build(tools: Tools, kinds: tuple[type[Factor], ...] = FACTORS) -> dict[str, Factor]:
    """One of each, by name."""
    return {kind.name: kind(tools) for kind in kinds}
