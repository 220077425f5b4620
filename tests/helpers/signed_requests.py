"""Request objects as a client would make them, honest or not."""

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.jwk import Key

from tests.helpers import base64url
from tests.helpers.house import made_once


def jwks_of(*algorithms: str) -> dict[str, Any]:
    """What a client registers so that its signatures by these can be verified."""
    return {"keys": [made_once(one).as_dict(private=False) for one in algorithms]}


def signed(
    claims: Mapping[str, Any], algorithm: str = "ES256", *, key: Key | None = None, **header: Any
) -> str:
    """A compact JWS over ``claims``; by ``key``, or by the one of this process."""
    key = key or made_once(algorithm)
    protected = {"alg": algorithm, "kid": key.kid, **header}
    members = {name: value for name, value in protected.items() if value is not None}
    return jws.serialize_compact(
        members, json.dumps(dict(claims)).encode(), key, algorithms=[algorithm]
    )


def unsigned(claims: Mapping[str, Any], signature: str = "") -> str:
    """The same with ``alg`` ``none``."""
    parts = [json.dumps({"alg": "none"}), json.dumps(dict(claims))]
    return ".".join([*(base64url.encode(part.encode()) for part in parts), signature])
