"""Registrations kept in files: read and checked.

A file is TOML: ``client_id``, the members of a registration under their RFC 7591 names, and for a
client with a secret one table that says where it comes from, never the secret itself::

    [client_secret]
    env = "SHOP_CLIENT_SECRET"     # an environment variable, or
    file = "shop.secret"           # a file, beside this one unless absolute, or
    generate = true                # made at the first time and told once

``file`` together with ``generate`` writes the file when it is not there yet, and the client has no
secret yet.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.registration import InvalidClientMetadata
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import has_secret, least_length
from idp.services.clients import is_client_id

# RFC 6749 section 2.3.1 has clients form-encode the secret, and many do not: what is the same
# either way works with all of them. The length stands for enough randomness to be hashed plainly.
_SECRET: Final = re.compile(r"[A-Za-z0-9\-._~]{32,128}")

_SOURCES: Final = ({"env"}, {"file"}, {"generate"}, {"file", "generate"})


class ClientFilesRefused(Exception):
    """Nothing was applied. ``problems`` are sentences, each beginning with its file."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One file as it was read. ``path`` names it in messages; its folder anchors other paths."""

    path: Path
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file asks for, read and checked. No ``secret`` means: any, made if there is none."""

    client_id: str
    metadata: ClientMetadata
    secret: str | None
    write_to: Path | None = None


def read_client_file(path: Path) -> ClientFile:
    """Read a ``client.toml``. Raises ``ClientFilesRefused``."""
    try:
        return ClientFile(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ClientFilesRefused([f"{path}: cannot be read: {error}"]) from None


def read_all(
    files: Sequence[ClientFile], rules: ClientRules, environ: Mapping[str, str]
) -> tuple[Wanted, ...]:
    """Check every file. Raises ``ClientFilesRefused`` with the problems of all of them."""
    wanted: dict[str, Wanted] = {}
    problems: list[str] = []
    for file in files:
        try:
            one = _read(file, rules, environ)
        except ClientFilesRefused as error:
            problems += [f"{file.path}: {problem}" for problem in error.problems]
            continue
        if one.client_id in wanted:
            problems.append(f"{file.path}: client_id {one.client_id} is in another file too")
        wanted[one.client_id] = one
    if problems:
        raise ClientFilesRefused(problems)
    return tuple(wanted.values())


def _read(file: ClientFile, rules: ClientRules, environ: Mapping[str, str]) -> Wanted:
    members = dict(file.members)
    client_id, source = members.pop("client_id", None), members.pop("client_secret", None)
    problems: list[str] = []
    if not isinstance(client_id, str) or not is_client_id(client_id):
        problems.append("client_id must be there: 1 to 255 printable ASCII characters")
    try:
        metadata = rules.parse(members)
    except InvalidClientMetadata as error:
        problems += [f"{name} {sentence}" for name, sentence in error.problems]
        raise ClientFilesRefused(problems) from None
    if problems:
        raise ClientFilesRefused(problems)
    secret, write_to = _read_source(source, metadata, file.path.parent, environ)
    return Wanted(str(client_id), metadata, secret, write_to)


_AS_TABLE: Final = 'a table of env = "NAME", file = "path" or generate = true'


def _read_source(
    source: object, metadata: ClientMetadata, folder: Path, environ: Mapping[str, str]
) -> tuple[str | None, Path | None]:
    """The secret where the file points at one, and where a generated one is to be written."""
    if not has_secret(metadata):
        if source is not None:
            raise ClientFilesRefused(["client_secret must be left out: this client needs none"])
        return None, None
    if not isinstance(source, dict) or not _is_source(source):
        told = "is missing: it is" if source is None else "must be"
        raise ClientFilesRefused([f"client_secret {told} {_AS_TABLE}"])
    least = least_length(metadata)
    if "env" in source:
        secret = environ.get(str(source["env"]))
        return _checked(secret, f"${source['env']}", at_least=least), None
    if "file" not in source:
        return None, None
    path = folder / str(source["file"])
    if not path.exists() and source.get("generate"):
        return None, path
    return _checked(_content(path), str(path), at_least=least), None


def _is_source(table: Mapping[str, object]) -> bool:
    """Whether it names one place for the secret, or a file and that it may be made."""
    places = [table[name] for name in ("env", "file") if name in table]
    return (
        table.keys() in _SOURCES
        and all(isinstance(place, str) and place for place in places)
        and table.get("generate", True) is True
    )


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ClientFilesRefused([f"client_secret: {path} cannot be read: {error}"]) from None


def _checked(secret: str | None, where: str, *, at_least: int) -> str:
    if not secret:
        raise ClientFilesRefused([f"client_secret: {where} is not there, or empty"])
    if not _SECRET.fullmatch(secret):
        raise ClientFilesRefused(
            [f"client_secret: {where} must hold 32 to 128 letters, digits or any of -._~"]
        )
    if len(secret) < at_least:
        raise ClientFilesRefused(
            [f"client_secret: {where} needs {at_least} characters for the algorithm it signs by"]
        )
    return secret
