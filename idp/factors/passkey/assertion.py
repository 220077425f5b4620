"""Using a passkey: the relying party's steps of WebAuthn L3 §7.2."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import update
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    options_to_json,
    verify_authentication_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_authenticator_data,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorData,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from idp.assurance import proofs
from idp.config import Settings
from idp.factors.base import Answer, Proof, UserVerification
from idp.factors.passkey.answer import read_answer
from idp.factors.passkey.attestation import AttestationPolicy
from idp.factors.passkey.authenticator_data import check_authenticator_data
from idp.factors.passkey.client_data import ClientData
from idp.factors.passkey.credentials import find_passkey
from idp.factors.passkey.pending import TIMEOUT, Pending
from idp.factors.passkey.refusals import Deviation, Reason, or_else
from idp.models import Credential, User, db


@dataclass(frozen=True, slots=True)
class Assertion:
    """Checks passkeys at one relying party."""

    settings: Settings
    policy: AttestationPolicy

    def options(
        self, pending: Pending, allowed: list[PublicKeyCredentialDescriptor]
    ) -> dict[str, Any]:
        """``PublicKeyCredentialRequestOptionsJSON``; nothing ``allowed`` means any passkey."""
        of, wished = self.settings.rp_id, pending.user_verification
        found = _options(of, wished, allowed) if allowed else _for_anybody(of, wished)
        return {**found, "challenge": pending.challenge_text}

    def finish(self, pending: Pending, answer: Answer, now: datetime) -> Proof:
        """Check the answer and move the record; raises ``Deviation`` at the first wrong step."""
        response = read_answer(answer, parse_authentication_credential_json)
        pending.claim(now)
        self._check_client_data(response, pending)
        passkey = _identify(response, pending)
        with or_else(Reason.MALFORMED):
            data = parse_authenticator_data(response.response.authenticator_data)
        self._check_authenticator_data(data, passkey, pending)
        self._check_signature(response, passkey, pending)
        signals = _count(passkey, data.sign_count)
        _remember_use(passkey, data, now)
        return self._proof(passkey, data, signals)

    def _check_client_data(self, response: AuthenticationCredential, pending: Pending) -> None:
        ClientData.parse(response.response.client_data_json).check(
            type_="webauthn.get",
            challenge=pending.challenge,
            origins=self.settings.passkey_origins,
        )

    def _check_authenticator_data(
        self, data: AuthenticatorData, passkey: Credential, pending: Pending
    ) -> None:
        """§7.2 steps 15 to 19."""
        check_authenticator_data(
            data,
            rp_id=self.settings.rp_id,
            presence=True,
            verification=pending.verification_required,
        )
        # Step 19: a key that stays on its device does not become one that travels, nor back.
        if data.flags.be is not passkey.data["be"]:
            raise Deviation(Reason.BACKUP_ELIGIBILITY_CHANGED)

    def _check_signature(
        self, response: AuthenticationCredential, passkey: Credential, pending: Pending
    ) -> None:
        """§7.2 steps 20 and 21, by py_webauthn, with all that it checks beside them."""
        with or_else(Reason.WRONG_SIGNATURE):
            verify_authentication_response(
                credential=response,
                expected_challenge=pending.challenge,
                expected_rp_id=self.settings.rp_id,
                expected_origin=list(self.settings.passkey_origins),
                credential_public_key=base64url_to_bytes(passkey.data["public_key"]),
                # Step 22 is ours: a counter that went back is a signal, to it an error.
                credential_current_sign_count=0,
                require_user_verification=pending.verification_required,
            )

    def _proof(
        self, passkey: Credential, data: AuthenticatorData, signals: Mapping[str, Any]
    ) -> Proof:
        # §4, uvInitialized: the first UV flag of a credential shows that somebody set up a PIN on
        # the device, perhaps the one who found it. It must not be relied upon.
        first = data.flags.uv and not passkey.data["uv"]
        shown = proofs.passkey(
            user_verified=data.flags.uv and not first,
            backup_eligible=data.flags.be,
            attested=self.policy.still_trusts(passkey.data),
        )
        if first:
            signals = {**signals, "awaits_corroboration": True}
        return Proof(passkey.user_id, passkey.id, shown.proves, shown.amr, signals)


def _options(
    rp_id: str, wished: UserVerification, allowed: list[PublicKeyCredentialDescriptor]
) -> Mapping[str, Any]:
    """With a challenge that counts for nothing."""
    options = generate_authentication_options(
        rp_id=rp_id,
        timeout=TIMEOUT,
        allow_credentials=allowed,
        user_verification=UserVerificationRequirement(wished),
    )
    as_json: dict[str, Any] = json.loads(options_to_json(options))
    return as_json


@lru_cache(maxsize=8)
def _for_anybody(rp_id: str, wished: UserVerification) -> Mapping[str, Any]:
    """They differ in nothing but the challenge."""
    return _options(rp_id, wished, [])


def _identify(response: AuthenticationCredential, pending: Pending) -> Credential:
    """§7.2 steps 5 and 6: whose passkey it is, and that she is who was expected."""
    credential_id = bytes_to_base64url(response.raw_id)
    passkey = find_passkey(credential_id)
    if passkey is None:
        raise Deviation(Reason.UNKNOWN_CREDENTIAL)
    if pending.allowed is not None and credential_id not in pending.allowed:
        raise Deviation(Reason.NOT_ALLOWED)
    if pending.user_id not in (None, passkey.user_id):
        raise Deviation(Reason.WRONG_OWNER)
    owner = db.session.get_one(User, passkey.user_id)
    handle = response.response.user_handle
    # Who was not identified beforehand is identified by the handle, so then it has to be there.
    if handle is None and pending.allowed is None:
        raise Deviation(Reason.WRONG_USER_HANDLE)
    if handle is not None and handle != base64url_to_bytes(owner.webauthn_handle):
        raise Deviation(Reason.WRONG_USER_HANDLE)
    return passkey


def _count(passkey: Credential, sign_count: int) -> dict[str, Any]:
    """Move the signature counter on; returns a signal when it did not grow (§7.2 step 22).

    Authenticators that keep none report zero for ever. Of two answers with one count, sent side
    by side, only one moves it. A count that is behind is never written down.
    """
    before = passkey.counter
    if before == sign_count == 0:
        return {}
    moved = db.session.execute(
        update(Credential)
        .where(Credential.id == passkey.id, Credential.counter < sign_count)
        .values(counter=sign_count)
        .returning(Credential.id)
        .execution_options(synchronize_session="fetch")
    )
    if moved.scalar_one_or_none() is None:
        return {"sign_count_regressed": {"stored": before, "received": sign_count}}
    return {}


def _remember_use(passkey: Credential, data: AuthenticatorData, now: datetime) -> None:
    """§7.2 step 24. A passkey that was deleted meanwhile opens nothing any more."""
    used = db.session.execute(
        update(Credential)
        .where(Credential.id == passkey.id)
        .values(last_used_at=now, data={**passkey.data, "bs": data.flags.bs})
        .returning(Credential.id)
        .execution_options(synchronize_session="fetch")
    )
    if used.scalar_one_or_none() is None:
        raise Deviation(Reason.UNKNOWN_CREDENTIAL)
