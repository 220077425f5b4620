"""People as other programs export them, each with a hash that is known to be right."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from argon2.low_level import Type, hash_secret
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from idp.services.people_files import FirebaseKey

FIREBASE = FirebaseKey(
    signer_key=(
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    ),
    salt_separator="Bw==",
)

FIREBASE_HASH = (
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
)


@dataclass(frozen=True)
class Export:
    """What a program writes, and the password behind it."""

    password: str
    file: Any
    email: str
    firebase: FirebaseKey | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        text = self.file if isinstance(self.file, str) else json.dumps(self.file)
        return text.encode()


def text64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _django(encoded: str, name: str) -> list[dict[str, Any]]:
    fields = {
        **{"username": name, "email": f"{name}@example.com", "password": encoded},
        **{"first_name": "Ann", "last_name": "Archer", "is_active": True, "is_superuser": True},
    }
    return [{"model": "auth.user", "pk": 1, "fields": fields}]


def _keycloak(secret: Mapping[str, Any], how: Mapping[str, Any], name: str) -> dict[str, Any]:
    credential = {
        **{"type": "password", "secretData": json.dumps(secret)},
        "credentialData": json.dumps(how),
    }
    person = {
        **{"username": name, "email": f"{name}@example.com", "emailVerified": True},
        **{"firstName": "Ann", "lastName": "Archer", "enabled": True, "groups": ["/staff"]},
        **{"credentials": [credential], "realmRoles": ["admin"]},
    }
    return {"realm": "old", "users": [person]}


def _sha512(password: str, salt: bytes) -> bytes:
    """By another implementation than ours."""
    return PBKDF2HMAC(hashes.SHA512(), 64, salt, 1000).derive(password.encode())


def _argon2(kind: Type) -> str:
    return hash_secret(b"an old password", b"0123456789abcdef", 2, 64, 1, 32, kind).decode()


# RFC 7914 section 11 (PBKDF2 with SHA-256) and section 12 (scrypt); RFC 6070 (with SHA-1).
_RFC7914_SHA256 = bytes.fromhex(
    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
)
_RFC7914_SCRYPT = bytes.fromhex(
    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
)
_RFC6070_SHA1 = bytes.fromhex("4b007901b765489abead49d926f721d065a429c1")

EXPORTS: Mapping[str, Export] = {
    "Django, PBKDF2 with SHA-256": Export(
        "Password",
        _django(f"pbkdf2_sha256$80000$NaCl${text64(_RFC7914_SHA256)}", "dj1"),
        "dj1@example.com",
    ),
    "Django, PBKDF2 with SHA-1": Export(
        "password",
        _django(f"pbkdf2_sha1$4096$salt${text64(_RFC6070_SHA1)}", "dj2"),
        "dj2@example.com",
    ),
    "Django, scrypt": Export(
        "password",
        _django(f"scrypt$NaCl$1024$8$16${text64(_RFC7914_SCRYPT)}", "dj3"),
        "dj3@example.com",
    ),
    "Django, Argon2": Export(
        "an old password", _django(f"argon2{_argon2(Type.ID)}", "dj4"), "dj4@example.com"
    ),
    "Keycloak, PBKDF2 with SHA-512": Export(
        "an old password",
        _keycloak(
            {
                "value": text64(_sha512("an old password", b"0123456789abcdef")),
                "salt": text64(b"0123456789abcdef"),
            },
            {"hashIterations": 1000, "algorithm": "pbkdf2-sha512"},
            "kc1",
        ),
        "kc1@example.com",
    ),
    "Keycloak, Argon2": Export(
        "an old password",
        _keycloak(
            {"salt": text64(b"0123456789abcdef"), "value": _argon2(Type.ID).rpartition("$")[2]},
            {
                "hashIterations": 2,
                "algorithm": "argon2",
                "additionalParameters": {
                    "type": ["id"],
                    "version": ["1.3"],
                    "memory": ["64"],
                    "parallelism": ["1"],
                    "hashLength": ["32"],
                },
            },
            "kc2",
        ),
        "kc2@example.com",
    ),
    # https://github.com/firebase/scrypt#readme
    "Firebase, its scrypt": Export(
        "user1password",
        {
            "users": [
                {
                    "localId": "1",
                    "email": "fb1@example.com",
                    "emailVerified": True,
                    "displayName": "Ann",
                    "salt": "42xEC+ixf3L2lw==",
                    "passwordHash": FIREBASE_HASH,
                }
            ]
        },
        "fb1@example.com",
        firebase=FIREBASE,
    ),
    # A line of Auth0's; the hash is crypt_blowfish's first test vector.
    "Auth0, bcrypt": Export(
        "U*U",
        '{"_id": {"$oid": "1"}, "email": "au1@example.com", "email_verified": true,'
        ' "passwordHash": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}\n',
        "au1@example.com",
    ),
    "CSV, Argon2i": Export(
        "an old password",
        "email,email_verified,name,groups,password_hash\n"
        f'cs1@example.com,yes,Ann,staff;cooks,"{_argon2(Type.I)}"\n',
        "cs1@example.com",
    ),
}
