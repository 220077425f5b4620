"""What the form's cookie and its token are signed by: the libraries' own format, cheaper."""

import hashlib
import hmac
import json
from binascii import b2a_base64
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, bytes_to_int, int_to_bytes, want_bytes

from idp.json_text import dump

SHA1: Final = hashlib.sha1
"""The libraries' choice, without the wrapper by which they take the long way to it. HMAC does not
need a hash that is free of collisions (RFC 6151 section 2)."""

_SHORT: Final = 100
"""Characters: what has fewer is no shorter when it was compressed."""
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


class Tagged(TaggedJSONSerializer):
    """Flask's way to write a session. Texts by names of ours look the same without it."""

    def dumps(self, value: Any) -> str:
        """As compact JSON."""
        if all(type(one) is str for one in value.values()):
            return dump(value)
        return super().dumps(value)

    def loads(self, value: str) -> Any:
        """What Flask has written otherwise is called by a name that begins with a blank."""
        return super().loads(value) if '" ' in value else json.loads(value)


class Compact:
    """JSON as itsdangerous writes it, but that letters which are no ASCII stay as they are."""

    dumps = staticmethod(dump)
    loads = staticmethod(json.loads)


class _Signer(TimestampSigner):
    """Derives its keys once, and not for every signature."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._derived: dict[object, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The key for signatures from ``secret_key``, or from the newest."""
        if secret_key not in self._derived:
            self._derived[secret_key] = super().derive_key(secret_key)
        return self._derived[secret_key]

    def sign(self, value: str | bytes) -> bytes:
        """As the library signs."""
        stamp = _b64(int_to_bytes(self.get_timestamp()))
        signed = self.sep.join((want_bytes(value), stamp))
        return self.sep.join((signed, self.seal(signed)))

    def age(self, stamp: bytes) -> int:
        """In seconds, of what was signed with this time in it."""
        return self.get_timestamp() - bytes_to_int(base64_decode(stamp))

    def seal(self, signed: bytes) -> bytes:
        """The signature by the newest key."""
        begun = self._begun.copy()
        begun.update(signed)
        return _b64(begun.finalize())

    @cached_property
    def _begun(self) -> HMAC:
        """Where one begins, once the key is read: OpenSSL looks for the algorithm only here."""
        return HMAC(self.derive_key(), hashes.SHA1())  # noqa: S303  see above


class Serializer(URLSafeTimedSerializer):
    """Signs and reads with one signer, which holds no state but its keys."""

    default_signer = _Signer

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.signer_kwargs["digest_method"] = SHA1
        self._signer: Any = super().make_signer(None)

    def dumps(self, obj: Any, salt: str | bytes | None = None) -> str:
        """As the library writes it, which tries first whether compressing would help."""
        text = self.serializer.dumps(obj)
        if len(text) >= _SHORT:
            return super().dumps(obj, salt)
        signed: bytes = self._signer.sign(_b64(text.encode()))
        return signed.decode()

    def loads(  # type: ignore[override]  # as the library itself does
        self,
        s: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
        salt: str | bytes | None = None,
    ) -> Any:
        """As the library reads it, which is asked for all that is not as ``dumps`` makes it: for
        it knows older keys, and says what is wrong."""
        signed, _, made = want_bytes(s).rpartition(self._signer.sep)
        payload, _, stamp = signed.rpartition(self._signer.sep)
        if (
            hmac.compare_digest(made, self._signer.seal(signed))
            and not (return_timestamp or salt)
            and (max_age is None or 0 <= self._signer.age(stamp) <= max_age)
        ):
            return self.load_payload(payload)
        return super().loads(s, max_age, return_timestamp, salt)

    def make_signer(self, salt: str | bytes | None = None) -> Any:
        """The one there is: each of these is for one purpose."""
        return self._signer

    def iter_unsigners(self, salt: str | bytes | None = None) -> Iterator[TimestampSigner]:
        """The same; it knows the older keys as well."""
        yield self._signer


def _b64(raw: bytes) -> bytes:
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=")
