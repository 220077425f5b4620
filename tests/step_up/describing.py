"""Writes the file that describes an issuer: what somebody else would write by hand."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.helpers import base64url
from tests.helpers.passkey import SoftCredential
from tests.step_up.issuer import ROLES, Issuer
from tests.step_up.people import Person

PEOPLE: tuple[tuple[str, ...], ...] = (
    *((), ()),
    *(("totp", "recovery_code"), ("totp",)),
    *(("passkey",), ("passkey",)),
    ("totp", "passkey"),
)
"""Who has to be there for every case: two of each where one tries to be the other."""


def describe(issuer: Issuer, file: Path, *, second_step: bool) -> None:
    """Make people and clients at ``issuer``, and write them down."""
    told: dict[str, Any] = {
        "issuer": issuer.url,
        "pace": issuer.pace,
        "asks_for_second_step": second_step,
        "acr": {"aliases": dict(issuer.names.aliases)},
        "clients": {role: _client(issuer, role) for role in ROLES},
        "people": [_person(issuer.person(*has)) for has in PEOPLE],
    }
    file.write_text("\n".join(_toml(told)) + "\n", encoding="utf-8")


def _client(issuer: Issuer, role: str) -> dict[str, Any]:
    made = issuer.client(role)
    return {
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "redirect_uri": made.redirect_uri,
    }


def _person(person: Person) -> dict[str, Any]:
    told: dict[str, Any] = {"username": person.username, "password": person.password}
    if person.totp:
        told["totp_seed"] = person.totp.seed
    if person.recovery_codes:
        told["recovery_codes"] = person.recovery_codes
    if person.passkeys:
        told["passkeys"] = [_passkey(one) for one in person.passkeys.credentials.values()]
    return told


def _passkey(credential: SoftCredential) -> dict[str, Any]:
    pem = credential.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "credential_id": base64url.encode(credential.id),
        "user_handle": base64url.encode(credential.user_handle),
        "rp_id": credential.rp_id,
        "algorithm": credential.algorithm,
        "backup_eligible": credential.backup_eligible,
        "private_key": pem.decode(),
    }


def _toml(members: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """TOML of texts, numbers, flags, lists of texts, tables and lists of tables."""
    tables = {k: v for k, v in members.items() if isinstance(v, dict) or _is_tables(v)}
    for name, value in members.items():
        if name not in tables:
            yield f"{json.dumps(name)} = {json.dumps(value)}"
    for name, value in tables.items():
        inner = f"{path}{json.dumps(name)}"
        for each in value if isinstance(value, list) else [value]:
            yield f"[[{inner}]]" if isinstance(value, list) else f"[{inner}]"
            yield from _toml(each, f"{inner}.")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)
