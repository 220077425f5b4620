"""Public documents, as they are sent."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A public JSON document and its entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, members: Mapping[str, object]) -> "Document":
        """The same members make the same document, on every node."""
        body = json.dumps(members, separators=(",", ":")).encode()
        return cls(body, hashlib.sha256(body).hexdigest()[:32])
