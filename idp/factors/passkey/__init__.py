"""Passkeys and security keys (WebAuthn Level 3)."""

from idp.factors.passkey.aaguid import provider_name
from idp.factors.passkey.attestation import AttestationPolicy
from idp.factors.passkey.factor import Passkey
from idp.factors.passkey.pending import bound_challenge
from idp.factors.passkey.signals import accepted_credentials, unknown_credential, user_details

__all__ = [
    "AttestationPolicy",
    "Passkey",
    "accepted_credentials",
    "bound_challenge",
    "provider_name",
    "unknown_credential",
    "user_details",
]
