"""What the authenticator says, and the steps that both ceremonies share about it."""

from hashlib import sha256

from webauthn.helpers.structs import AuthenticatorData

from idp.factors.passkey.refusals import Deviation, Reason


def check_authenticator_data(
    data: AuthenticatorData, *, rp_id: str, presence: bool, verification: bool
) -> None:
    """WebAuthn L3 §7.1 steps 14 to 17, §7.2 steps 15 to 18; raises ``Deviation``.

    ``presence`` and ``verification`` say whether the UP and UV flags have to be set.
    """
    if data.rp_id_hash != sha256(rp_id.encode()).digest():
        raise Deviation(Reason.WRONG_RP_ID)
    if presence and not data.flags.up:
        raise Deviation(Reason.NOT_PRESENT)
    if verification and not data.flags.uv:
        raise Deviation(Reason.NOT_VERIFIED)
    if data.flags.bs and not data.flags.be:
        raise Deviation(Reason.WRONG_BACKUP_FLAGS)
