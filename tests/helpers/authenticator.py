"""An authenticator in software: it really signs, and can be made to lie about any one thing.

Options go in, and responses come out, in the JSON shapes of WebAuthn 3 (``parse…FromJSON`` and
``toJSON``), so the object stands where browser and authenticator would.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import EllipsisType
from typing import Any, Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2 import cbor, cose
from fido2.webauthn import AttestedCredentialData, AuthenticatorData

from tests.helpers import base64url
from tests.helpers.attestation import AttestationRoot
from tests.helpers.passkey import (
    COSE_KEYS,
    Algorithm,
    SoftCredential,
    generate_key,
    sign,
)

Options = str | Mapping[str, Any]
"""Creation or request options: a JSON text, or what it parses to."""
Response = dict[str, Any]
Attestation = Literal["none", "self"] | AttestationRoot
"""Nothing; packed, signed with the credential's own key; packed, with a vendor's certificates."""

_FLAG = AuthenticatorData.FLAG


class NoCredential(Exception):
    """It holds nothing that the options allow (a browser's ``NotAllowedError``)."""


class AlreadyRegistered(Exception):
    """The options exclude a credential that it holds (a browser's ``InvalidStateError``)."""


@dataclass(frozen=True, kw_only=True)
class Tampering:
    """Each hook gets the honest value and returns what is used instead.

    What happens to client data and authenticator data happens *before* they are signed: the lie
    carries a valid signature. ``signature`` and ``response`` (the whole JSON) come afterwards.
    """

    client_data: Callable[[dict[str, Any]], dict[str, Any]] = lambda value: value
    authenticator_data: Callable[[bytes], bytes] = lambda value: value
    signature: Callable[[bytes], bytes] = lambda value: value
    response: Callable[[Response], Response] = lambda value: value


HONEST = Tampering()


class SoftAuthenticator:
    """Holds passkeys for any number of sites. By default a synced platform authenticator.

    ``counts`` makes it keep a signature counter; synced ones report zero for ever.
    """

    def __init__(
        self,
        origin: str = "http://localhost:8000",
        *,
        aaguid: bytes = bytes(16),
        transports: tuple[str, ...] = ("internal", "hybrid"),
        counts: bool = False,
    ) -> None:
        self.origin = origin
        self.aaguid = aaguid
        self.transports = transports
        self.counts = counts
        self.credentials: dict[bytes, SoftCredential] = {}

    def make_credential(
        self,
        options: Options,
        *,
        up: bool = True,
        uv: bool = True,
        be: bool = True,
        bs: bool = True,
        algorithm: Algorithm | None = None,
        attestation: Attestation = "none",
        origin: str | None = None,
        cross_origin: bool = False,
        top_origin: str | None = None,
        tampering: Tampering = HONEST,
    ) -> Response:
        """Register: keep a new credential and return the response's JSON.

        ``algorithm`` overrides what the options would have chosen. Raises ``AlreadyRegistered``.
        """
        wanted = _parse(options)
        if any(self._holds(entry) for entry in wanted.get("excludeCredentials") or ()):
            raise AlreadyRegistered
        credential = self._new_credential(wanted, algorithm, be)
        client_data = self._client_data(
            "webauthn.create", wanted, origin, cross_origin, top_origin, tampering
        )
        attested = AttestedCredentialData.create(self.aaguid, credential.id, credential.public_key)
        flags = _flags(up=up, uv=uv, be=be, bs=bs) | _FLAG.AT
        data = tampering.authenticator_data(self._data(credential, flags, bytes(attested)))
        format_, statement = self._attest(attestation, credential, data, client_data, tampering)
        # Encoded here, not by fido2, which would refuse data that a test has made senseless.
        attestation_object = cbor.encode({"fmt": format_, "attStmt": statement, "authData": data})
        self.credentials[credential.id] = credential
        response = {
            "clientDataJSON": base64url.encode(client_data),
            "attestationObject": base64url.encode(attestation_object),
            "authenticatorData": base64url.encode(data),
            "transports": list(self.transports),
            "publicKeyAlgorithm": credential.public_key.ALGORITHM,
            "publicKey": base64url.encode(_spki(credential)),
        }
        results = {"credProps": {"rk": True}} if "credProps" in _extensions(wanted) else {}
        return tampering.response(self._public_key_credential(credential, response, results))

    def get_assertion(
        self,
        options: Options,
        *,
        credential: SoftCredential | None = None,
        up: bool = True,
        uv: bool = True,
        be: bool | None = None,
        bs: bool | None = None,
        user_handle: bytes | EllipsisType | None = ...,
        counter: int | None = None,
        origin: str | None = None,
        cross_origin: bool = False,
        top_origin: str | None = None,
        tampering: Tampering = HONEST,
    ) -> Response:
        """Sign in: return the response's JSON.

        Left out, ``credential`` is the newest that the options allow, ``be`` and ``bs`` are as it
        was registered, ``user_handle`` is its own, and ``counter`` moves by itself. Raises
        ``NoCredential``.
        """
        wanted = _parse(options)
        chosen = credential or self._choose(wanted)
        backed_up = chosen.backup_eligible if bs is None else bs
        eligible = chosen.backup_eligible if be is None else be
        if counter is not None:
            chosen.counter = counter
        elif self.counts:
            chosen.counter += 1
        flags = _flags(up=up, uv=uv, be=eligible, bs=backed_up)
        client_data = self._client_data(
            "webauthn.get", wanted, origin, cross_origin, top_origin, tampering
        )
        data = tampering.authenticator_data(self._data(chosen, flags))
        signature = tampering.signature(sign(chosen.key, data + sha256(client_data).digest()))
        handle = chosen.user_handle if isinstance(user_handle, EllipsisType) else user_handle
        response = {
            "clientDataJSON": base64url.encode(client_data),
            "authenticatorData": base64url.encode(data),
            "signature": base64url.encode(signature),
        }
        if handle is not None:
            response["userHandle"] = base64url.encode(handle)
        return tampering.response(self._public_key_credential(chosen, response, {}))

    def _holds(self, descriptor: Mapping[str, Any]) -> bool:
        return base64url.decode(descriptor["id"]) in self.credentials

    def _new_credential(
        self, wanted: Mapping[str, Any], algorithm: Algorithm | None, backup_eligible: bool
    ) -> SoftCredential:
        chosen = algorithm or _negotiate(wanted["pubKeyCredParams"])
        return SoftCredential(
            id=secrets.token_bytes(32),
            rp_id=wanted["rp"].get("id") or self._own_host(),
            user_handle=base64url.decode(wanted["user"]["id"]),
            algorithm=chosen,
            key=generate_key(chosen),
            backup_eligible=backup_eligible,
        )

    def _own_host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def _choose(self, wanted: Mapping[str, Any]) -> SoftCredential:
        rp_id = wanted.get("rpId") or self._own_host()
        allowed = {base64url.decode(entry["id"]) for entry in wanted.get("allowCredentials") or ()}
        for held in reversed(self.credentials.values()):
            if held.rp_id == rp_id and (not allowed or held.id in allowed):
                return held
        raise NoCredential

    def _client_data(
        self,
        type_: str,
        wanted: Mapping[str, Any],
        origin: str | None,
        cross_origin: bool,
        top_origin: str | None,
        tampering: Tampering,
    ) -> bytes:
        content: dict[str, Any] = {
            "type": type_,
            "challenge": wanted["challenge"],
            "origin": origin or self.origin,
            "crossOrigin": cross_origin,
        }
        if top_origin is not None:
            content["topOrigin"] = top_origin
        return json.dumps(tampering.client_data(content), separators=(",", ":")).encode()

    def _data(self, credential: SoftCredential, flags: int, attested: bytes = b"") -> bytes:
        rp_id_hash = sha256(credential.rp_id.encode()).digest()
        data = AuthenticatorData.create(rp_id_hash, _FLAG(flags), credential.counter, attested)
        return bytes(data)

    def _attest(
        self,
        attestation: Attestation,
        credential: SoftCredential,
        data: bytes,
        client_data: bytes,
        tampering: Tampering,
    ) -> tuple[str, dict[str, Any]]:
        signed = data + sha256(client_data).digest()
        if isinstance(attestation, AttestationRoot):
            key, chain = attestation.issue(self.aaguid)
            signature = tampering.signature(sign(key, signed))
            return "packed", {"alg": cose.ES256.ALGORITHM, "sig": signature, "x5c": chain}
        if attestation == "self":
            signature = tampering.signature(sign(credential.key, signed))
            return "packed", {"alg": credential.public_key.ALGORITHM, "sig": signature}
        return "none", {}

    def _public_key_credential(
        self, credential: SoftCredential, response: Mapping[str, Any], results: Mapping[str, Any]
    ) -> Response:
        identifier = base64url.encode(credential.id)
        internal = "internal" in self.transports
        return {
            "id": identifier,
            "rawId": identifier,
            "type": "public-key",
            "authenticatorAttachment": "platform" if internal else "cross-platform",
            "clientExtensionResults": dict(results),
            "response": dict(response),
        }


def _parse(options: Options) -> Mapping[str, Any]:
    parsed = json.loads(options) if isinstance(options, str) else options
    # A page may hand over navigator.credentials' whole argument.
    inner: Mapping[str, Any] = parsed.get("publicKey", parsed)
    return inner


def _extensions(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    return wanted.get("extensions") or {}


def _negotiate(parameters: list[dict[str, Any]]) -> Algorithm:
    by_number: dict[int, Algorithm] = {key.ALGORITHM: name for name, key in COSE_KEYS.items()}
    for parameter in parameters:
        if parameter["alg"] in by_number:
            return by_number[parameter["alg"]]
    raise NoCredential("none of the algorithms asked for is known")


def _flags(*, up: bool, uv: bool, be: bool, bs: bool) -> int:
    chosen = ((up, _FLAG.UP), (uv, _FLAG.UV), (be, _FLAG.BE), (bs, _FLAG.BS))
    return sum(flag for wanted, flag in chosen if wanted)


def _spki(credential: SoftCredential) -> bytes:
    key = credential.key.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
