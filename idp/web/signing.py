"""What the form's cookie and its token are signed by: the libraries' own format, cheaper."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

SHA1: Final = hashlib.sha1
"""The libraries' choice, without the wrapper by which they take the long way to it. HMAC does not
need a hash that is free of collisions (RFC 6151 section 2)."""


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


class Serializer(URLSafeTimedSerializer):
    """Signs and reads with one signer, which holds no state but its keys."""

    default_signer = _Signer

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.signer_kwargs["digest_method"] = SHA1
        self._signer: Any = super().make_signer(None)

    def make_signer(self, salt: str | bytes | None = None) -> Any:
        """The one there is: each of these is for one purpose."""
        return self._signer

    def iter_unsigners(self, salt: str | bytes | None = None) -> Iterator[TimestampSigner]:
        """The same; it knows the older keys as well."""
        yield self._signer
