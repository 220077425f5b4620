"""Making a passkey: the relying party's steps of WebAuthn L3 §7.1."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from webauthn import (
    base64url_to_bytes,
    generate_registration_options,
    options_to_json,
    verify_registration_response,
)
from webauthn.helpers import (
    aaguid_to_string,
    bytes_to_base64url,
    parse_attestation_object,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttachment,
    AuthenticatorData,
    AuthenticatorSelectionCriteria,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.assurance import proofs
from idp.config import Settings
from idp.factors.base import Answer, Enrolled, Proof
from idp.factors.passkey.aaguid import label_for
from idp.factors.passkey.answer import read_answer
from idp.factors.passkey.attestation import AttestationPolicy
from idp.factors.passkey.authenticator_data import check_authenticator_data
from idp.factors.passkey.client_data import ClientData
from idp.factors.passkey.credentials import KIND, descriptor, find_passkey, passkeys_of
from idp.factors.passkey.pending import TIMEOUT, Pending
from idp.factors.passkey.public_key import ALGORITHMS, check_public_key
from idp.factors.passkey.refusals import Deviation, Reason, or_else
from idp.models import Credential, User, db, new_id

_LONGEST_ID = 1023


@dataclass(frozen=True, slots=True)
class Registration:
    """Makes passkeys at one relying party."""

    settings: Settings
    policy: AttestationPolicy

    def options(self, user: User, pending: Pending, *, platform: bool) -> dict[str, Any]:
        """``PublicKeyCredentialCreationOptionsJSON``. ``platform``: only on this very device."""
        options = generate_registration_options(
            rp_id=self.settings.rp_id,
            rp_name=self.settings.site_name,
            user_id=base64url_to_bytes(user.webauthn_handle),
            user_name=user.email,
            user_display_name=user.display_name,
            challenge=pending.challenge,
            timeout=TIMEOUT,
            attestation=self.policy.conveyance,
            authenticator_selection=AuthenticatorSelectionCriteria(
                authenticator_attachment=AuthenticatorAttachment.PLATFORM if platform else None,
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement(pending.user_verification),
            ),
            exclude_credentials=[descriptor(passkey) for passkey in passkeys_of(user.id)],
            supported_pub_key_algs=ALGORITHMS,
        )
        as_json: dict[str, Any] = json.loads(options_to_json(options))
        return as_json

    def finish(self, user: User, pending: Pending, answer: Answer, now: datetime) -> Enrolled:
        """Check the answer and add the credential; raises ``Deviation`` at the first wrong step."""
        response = read_answer(answer, parse_registration_credential_json)
        pending.claim(now)
        self._check_client_data(response, pending)
        with or_else(Reason.MALFORMED):
            attestation = parse_attestation_object(response.response.attestation_object)
        attested = self._check_attested(attestation, response, pending)
        self._check_statement(response, pending)
        # Only now, for until the statement is verified nobody has vouched for anything.
        vouched = self.policy.judge(attestation, aaguid=aaguid_to_string(attested.aaguid), now=now)
        transports = [each.value for each in response.response.transports or ()]
        passkey = Credential(
            id=new_id(),
            user_id=user.id,
            kind=KIND,
            label=_label(user, attested),
            lookup=bytes_to_base64url(attested.credential_id),
            counter=attestation.auth_data.sign_count,
            data=_record(attestation.auth_data, attested)
            | {"transports": sorted(set(transports)), "attested_by": vouched},
            created_at=now,
        )
        _add(passkey)
        return Enrolled(passkey, self._proof(passkey, attestation))

    def _check_client_data(self, response: RegistrationCredential, pending: Pending) -> None:
        ClientData.parse(response.response.client_data_json).check(
            type_="webauthn.create",
            challenge=pending.challenge,
            origins=self.settings.passkey_origins,
        )

    def _check_attested(
        self, attestation: AttestationObject, response: RegistrationCredential, pending: Pending
    ) -> AttestedCredentialData:
        """§7.1 steps 14 to 20 and 25."""
        check_authenticator_data(
            attestation.auth_data,
            rp_id=self.settings.rp_id,
            # Step 15: nobody has to touch anything while a passkey is made along a sign-in.
            presence=not pending.conditional,
            verification=pending.verification_required,
        )
        attested = attestation.auth_data.attested_credential_data
        if attested is None:
            raise Deviation(Reason.MALFORMED)
        check_public_key(attested.credential_public_key)
        if (
            not 1 <= len(attested.credential_id) <= _LONGEST_ID
            or attested.credential_id != response.raw_id
        ):
            raise Deviation(Reason.WRONG_CREDENTIAL_ID)
        return attested

    def _check_statement(self, response: RegistrationCredential, pending: Pending) -> None:
        """§7.1 steps 21 and 22, by py_webauthn, with all that it checks beside them."""
        with or_else(Reason.WRONG_ATTESTATION):
            verify_registration_response(
                credential=response,
                expected_challenge=pending.challenge,
                expected_rp_id=self.settings.rp_id,
                expected_origin=list(self.settings.passkey_origins),
                require_user_presence=not pending.conditional,
                require_user_verification=pending.verification_required,
                supported_pub_key_algs=ALGORITHMS,
            )

    def _proof(self, passkey: Credential, attestation: AttestationObject) -> Proof | None:
        """What making it showed: nothing, where nobody was there."""
        flags = attestation.auth_data.flags
        if not flags.up:
            return None
        shown = proofs.passkey(
            user_verified=flags.uv,
            backup_eligible=flags.be,
            attested=self.policy.still_trusts(passkey.data),
        )
        return Proof(passkey.user_id, passkey.id, shown.proves, shown.amr)


def _record(data: AuthenticatorData, attested: AttestedCredentialData) -> dict[str, Any]:
    """What is kept of it (WebAuthn L3 §4, credential record; §7.1 step 27)."""
    return {
        "public_key": bytes_to_base64url(attested.credential_public_key),
        "algorithm": check_public_key(attested.credential_public_key),
        "aaguid": aaguid_to_string(attested.aaguid),
        "be": data.flags.be,
        "bs": data.flags.bs,
        "uv": data.flags.uv,
    }


def _label(user: User, attested: AttestedCredentialData) -> str:
    taken = [passkey.label for passkey in passkeys_of(user.id)]
    return label_for(aaguid_to_string(attested.aaguid), taken)


def _add(passkey: Credential) -> None:
    """§7.1 step 26: no two accounts, and no two rows, with one credential id."""
    try:
        with db.session.begin_nested():
            db.session.add(passkey)
    except IntegrityError:
        existing = find_passkey(passkey.lookup or "")
        theirs = existing is None or existing.user_id != passkey.user_id
        raise Deviation(Reason.ALREADY_REGISTERED if theirs else Reason.ALREADY_YOURS) from None
