"""The files that the command writes: settings and keys, for their owner's eyes only."""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path


def new_key() -> str:
    """32 random bytes, base64url, as ``IDP_KEYS`` takes them."""
    return urlsafe_b64encode(os.urandom(32)).decode()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; one that was there is replaced at one stroke."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def to_toml(values: Mapping[str, str | bool]) -> str:
    """Plain settings as TOML; JSON's texts and truths are TOML's too."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
