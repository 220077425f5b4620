"""Where settings come from: the file, then the environment, then the caller; the later one wins."""

import os
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idp.config import addresses
from idp.config.settings import Settings

CONFIG_FILE = "idp.toml"
_PREFIX = "IDP_"
_ENV_ONLY = frozenset({"IDP_CONFIG"})


class ConfigurationError(Exception):
    """The settings cannot be used. ``problems`` holds one sentence for each thing wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_settings(
    path: Path | None = None, environ: Mapping[str, str] | None = None, **overrides: object
) -> Settings:
    """Read the file, then the environment, then ``overrides``; the later one wins.

    ``path`` is the file to read; without it ``IDP_CONFIG`` or ``idp.toml`` in the working
    directory, where there is one. Raises ``ConfigurationError`` with all that is wrong.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    told = _read_file(path, environ, problems)
    values = _counted_from(config_path(path, environ), told or {})
    values |= _read_environment(environ, problems)
    values |= overrides
    _read_keys_file(values, config_path(path, environ), problems)
    # What is in a file that cannot be read is not missing.
    parsed = _parse(values, problems, is_all=told is not None)
    problems += _contradictions(parsed)
    if problems:
        raise ConfigurationError(problems)
    return Settings(**parsed)


_FIELDS = {item.name: item for item in fields(Settings)}


def config_path(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The settings file that counts, or None where there is none."""
    if path is None and "IDP_CONFIG" in environ:
        return Path(environ["IDP_CONFIG"])
    if path is None and Path(CONFIG_FILE).is_file():
        return Path(CONFIG_FILE)
    return path


def keys_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that the keys are read from; None where a variable holds them, or nothing does."""
    values = (_read_file(path, environ, []) or {}) | _read_environment(environ, [])
    if "keys" in values or values.get("keys_file") is None:
        return None
    return _keys_location(values["keys_file"], config_path(path, environ))


def _read_file(
    path: Path | None, environ: Mapping[str, str], problems: list[str]
) -> dict[str, object] | None:
    """What the file says, nothing where there is none; None when it cannot be read."""
    found = config_path(path, environ)
    if found is None:
        return {}
    try:
        document = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{found}: cannot be read: {error}")
        return None
    pairs = tuple(_flatten(document))
    flat = dict(pairs)
    twice = Counter(name for name, _value in pairs) - Counter(flat.keys())
    problems += [f"{name}: is in the file twice" for name in twice]
    problems += [f"{name}: there is no such setting" for name in flat if not _is_known(name)]
    return {name: value for name, value in flat.items() if _is_known(name)}


def _counted_from(config: Path | None, values: dict[str, object]) -> dict[str, object]:
    """A SQLite file named in the settings file counts from that file's folder, as its keys do.

    So it is the same database from whichever folder the command is called.
    """
    url = values.get("database_url")
    if config is None or not isinstance(url, str):
        return values
    return {**values, "database_url": addresses.sqlite_within(url, config.parent)}


def _is_known(name: str) -> bool:
    return name in _FIELDS or name == "keys_file"


def _flatten(document: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """``[mail] url`` becomes ``mail_url``; a table that is itself a setting stays whole."""
    for key, value in document.items():
        name = prefix + key
        if isinstance(value, dict) and name not in _FIELDS:
            yield from _flatten(value, f"{name}_")
        else:
            yield name, value


def _read_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for variable, value in environ.items():
        if not variable.startswith(_PREFIX) or variable in _ENV_ONLY:
            continue
        name = variable.removeprefix(_PREFIX).lower()
        if _is_known(name):
            found[name] = value
        else:
            problems.append(f"{variable}: there is no such setting")
    return found


def _read_keys_file(values: dict[str, object], path: Path | None, problems: list[str]) -> None:
    """``keys_file`` names a file with one key a line; ``keys`` given outright wins."""
    name = values.pop("keys_file", None)
    if name is None or "keys" in values:
        return
    location = _keys_location(name, path)
    try:
        values["keys"] = location.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"keys_file: {location} cannot be read: {error}")


def _keys_location(name: object, config: Path | None) -> Path:
    return (config.parent if config else Path()) / str(name)


def _parse(values: Mapping[str, object], problems: list[str], *, is_all: bool) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for name, item in _FIELDS.items():
        if values.get(name) is not None:
            try:
                parsed[name] = item.metadata["parse"](values[name])
            except ValueError as error:
                problems.append(f"{name}: {error}")
        elif is_all and item.metadata["required"] and not _already_blamed(name, problems):
            problems.append(f"{name}: is missing (IDP_{name.upper()}, or run `idp init`)")
    return parsed


def _already_blamed(name: str, problems: Sequence[str]) -> bool:
    return any(problem.startswith(f"{name}_file:") for problem in problems)


def _contradictions(parsed: Mapping[str, Any]) -> list[str]:
    """What no single setting shows."""
    problems = []
    host = urlsplit(parsed.get("issuer", "")).hostname or ""
    rp_id = parsed.get("webauthn_rp_id")
    if rp_id and host and host != rp_id and not host.endswith(f".{rp_id}"):
        problems.append("webauthn_rp_id: must be the issuer's host or a domain above it")
    problems += _attestation_contradictions(parsed)
    problems += _hash_contradictions(parsed)
    problems += _certificate_contradictions(parsed)
    if parsed.get("demo") and host not in addresses.LOOPBACK_HOSTS:
        problems.append("demo: only on a loopback issuer, because everybody can read its mail")
    return problems


def _found(parsed: Mapping[str, Any], name: str) -> Any:
    """What it is, by default if nothing is said."""
    return parsed.get(name, _FIELDS[name].default)


def _hash_contradictions(parsed: Mapping[str, Any]) -> list[str]:
    """Argon2 needs eight blocks of a KiB for each lane (RFC 9106 section 3.1)."""
    least = 8 * _found(parsed, "argon2_parallelism")
    if _found(parsed, "argon2_memory_kib") >= least:
        return []
    return [f"argon2_memory_kib: must be at least {least}, eight for each of argon2_parallelism"]


def _certificate_contradictions(parsed: Mapping[str, Any]) -> list[str]:
    """Nobody's word about a certificate counts but a trusted proxy's."""
    header, problems = parsed.get("client_certificate_header"), []
    if header and not parsed.get("trusted_proxies"):
        problems.append("client_certificate_header: needs trusted_proxies")
    for name in ("client_certificate_verified", "mtls_origin"):
        if parsed.get(name) and not header:
            problems.append(f"{name}: needs client_certificate_header")
    return problems


def _attestation_contradictions(parsed: Mapping[str, Any]) -> list[str]:
    if parsed.get("webauthn_attestation", "none") == "none":
        # Whatever a browser says of its authenticator's model, nobody would vouch for it.
        if parsed.get("webauthn_allowed_aaguids"):
            return ["webauthn_allowed_aaguids: needs webauthn_attestation = direct"]
    elif parsed.get("webauthn_attestation_roots") is None:
        return ["webauthn_attestation: direct needs webauthn_attestation_roots"]
    return []
