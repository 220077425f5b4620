"""A registration as a file that ``apply`` takes."""

import json
import re
from typing import Final

from idp.services.client_listing import shown
from idp.services.client_secrets import has_secret

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def exported(client_id: str) -> dict[str, object]:
    """One client as the members of its file; raises ``ClientRefused`` for an unknown one.

    No secret is in it. Applied here it changes nothing; applied elsewhere it makes a new secret.
    """
    info = shown(client_id)
    secret = {"client_secret": {"generate": True}} if has_secret(info.metadata) else {}
    return {"client_id": info.id, **info.metadata.to_json(), **secret}


def to_toml(members: dict[str, object]) -> str:
    """The text of a ``client.toml``."""
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in members.items())


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's texts, booleans and whole numbers are TOML's too (TOML 1.0, basic strings).
    return json.dumps(value, ensure_ascii=False)
