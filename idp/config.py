"""Settings: read once, frozen, and every problem reported at once."""

import base64
import binascii
import json
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
LOGIN_STYLES = ("combined", "identifier_first", "passkey_only")
CONFIG_FILE = "idp.toml"
_PREFIX = "IDP_"
_ENV_ONLY = frozenset({"IDP_CONFIG"})


class ConfigurationError(Exception):
    """The settings cannot be used. ``problems`` holds one sentence for each thing wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def _issuer(value: object) -> str:
    text = _text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username or not parts.hostname:
        raise ValueError("must be an address without query, fragment or user name")
    if parts.path:
        raise ValueError("must have no path: cookies and passkeys belong to a whole host")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        return text
    raise ValueError("must start with https:// (http:// only on a loopback host)")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("must be true or false")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a whole number")
    try:
        number = int(value)
    except ValueError:
        raise ValueError("must be a whole number") from None
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def _duration(value: object) -> timedelta:
    return timedelta(seconds=_whole(value))


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("must be a list of texts")


def _table(value: object) -> Mapping[str, str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise ValueError("must be a JSON object in an environment variable") from None
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("must be a table of texts")
    return value


def _networks(value: object) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(word, strict=False) for word in _words(value))
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.0/8") from None


def _mail_url(value: object) -> str:
    text = _text(value)
    if urlsplit(text).scheme not in ("smtp", "smtps", "file", "console"):
        raise ValueError("must start with smtp://, smtps://, file:/// or console:")
    return text


def _redis_url(value: object) -> str:
    text = _text(value)
    if urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return text


def _database_url(value: object) -> str:
    text = _text(value)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    return text


def _choice(*allowed: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return parse


def _origins(value: object) -> tuple[str, ...]:
    words = _words(value)
    if any(urlsplit(word).path or not urlsplit(word).hostname for word in words):
        raise ValueError("must be origins, such as https://id.example.org")
    return words


def _keys(value: object) -> tuple[str, ...]:
    words = _words(value)
    if not words or not all(_is_key(word) for word in words):
        raise ValueError("must be keys as `idp init` writes them (32 bytes, base64url)")
    return words


def _is_key(word: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(word)) == 32
    except (binascii.Error, ValueError):
        return False


def _setting(
    parse: Callable[[object], Any],
    default: Any = None,
    *,
    required: bool = False,
    factory: Callable[[], Any] | None = None,
    secret: bool = False,
) -> Any:
    """A field that knows how to read itself; a ``secret`` one stays out of every ``repr``."""
    metadata = {"parse": parse, "required": required}
    if required:
        return field(metadata=metadata, repr=not secret)
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a deployment decides. Times are ``timedelta`` (whole seconds in the file)."""

    issuer: str = _setting(_issuer, required=True)
    keys: tuple[str, ...] = _setting(_keys, required=True, secret=True)
    """Base64url, 32 bytes each; the first encrypts, all decrypt."""
    database_url: str = _setting(_database_url, "sqlite:///var/idp.sqlite3", secret=True)
    redis_url: str | None = _setting(_redis_url, secret=True)
    mail_url: str | None = _setting(_mail_url, secret=True)
    mail_from: str | None = _setting(_text)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(_networks, ())
    webauthn_rp_id: str = _setting(_text, "")
    webauthn_origins: tuple[str, ...] = _setting(_origins, ())
    login_style: str = _setting(_choice(*LOGIN_STYLES), "combined")
    registration: bool = _setting(_flag, False)
    """May anybody make an account for themselves? (self-registration of people)"""
    demo: bool = _setting(_flag, False)
    site_name: str = _setting(_text, "Gatehouse")
    log_level: str = _setting(_choice("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")

    acr_aliases: Mapping[str, str] = _setting(_table, factory=dict)
    """Alias to canonical acr value."""
    account_second_step: bool = _setting(_flag, True)
    """Is a person who enrolled a second step asked for it at every sign-in?"""
    enrol_in_step_up: bool = _setting(_flag, True)

    session_lifetime: timedelta = _setting(_duration, timedelta(hours=24))
    session_idle: timedelta = _setting(_duration, timedelta(hours=8))
    session_lifetime_kept: timedelta = _setting(_duration, timedelta(days=30))
    session_idle_kept: timedelta = _setting(_duration, timedelta(days=14))
    transaction_lifetime: timedelta = _setting(_duration, timedelta(minutes=30))
    code_lifetime: timedelta = _setting(_duration, timedelta(seconds=60))
    access_token_lifetime: timedelta = _setting(_duration, timedelta(minutes=10))
    id_token_lifetime: timedelta = _setting(_duration, timedelta(minutes=10))
    refresh_token_lifetime: timedelta = _setting(_duration, timedelta(days=60))
    key_lifetime: timedelta = _setting(_duration, timedelta(days=90))
    key_publish_ahead: timedelta = _setting(_duration, timedelta(days=1))
    mfa_max_age: timedelta | None = _setting(_duration)
    phrh_max_age: timedelta | None = _setting(_duration)

    argon2_memory_kib: int = _setting(_whole, 19456)
    argon2_time: int = _setting(_whole, 2)
    argon2_parallelism: int = _setting(_whole, 1)
    argon2_concurrency: int = _setting(_whole, 4)
    """Hashes computed at once in one process; the rest wait their turn."""
    password_attempts: int = _setting(_whole, 10)
    """Wrong passwords for one account from browsers it does not know, in fifteen minutes."""
    network_attempts: int = _setting(_whole, 100)

    @property
    def secure(self) -> bool:
        """Is the issuer served over TLS? Then cookies are ``Secure`` and ``__Host-``."""
        return self.issuer.startswith("https://")

    @property
    def rp_id(self) -> str:
        """The passkeys' relying-party ID."""
        return self.webauthn_rp_id or urlsplit(self.issuer).hostname or ""

    @property
    def passkey_origins(self) -> tuple[str, ...]:
        """Origins a passkey may be used on."""
        return self.webauthn_origins or (self.issuer,)

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self.mail_from or f"no-reply@{urlsplit(self.issuer).hostname}"

    @classmethod
    def load(
        cls, path: Path | None = None, environ: Mapping[str, str] | None = None, **overrides: object
    ) -> "Settings":
        """Read the file, then the environment, then ``overrides``; the later one wins.

        ``path`` is the file to read; without it ``IDP_CONFIG`` or ``idp.toml`` in the working
        directory, where there is one. Raises ``ConfigurationError`` with all that is wrong.
        """
        environ = os.environ if environ is None else environ
        problems: list[str] = []
        values = _read_file(path, environ, problems)
        values |= _read_environment(environ, problems)
        values |= overrides
        _read_keys_file(values, path, problems)
        parsed = _parse(values, problems)
        problems += _contradictions(parsed)
        if problems:
            raise ConfigurationError(problems)
        return cls(**parsed)


_FIELDS = {item.name: item for item in fields(Settings)}


def config_path(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The settings file that counts, or None where there is none."""
    if path is None and "IDP_CONFIG" in environ:
        return Path(environ["IDP_CONFIG"])
    if path is None and Path(CONFIG_FILE).is_file():
        return Path(CONFIG_FILE)
    return path


def _read_file(
    path: Path | None, environ: Mapping[str, str], problems: list[str]
) -> dict[str, object]:
    found = config_path(path, environ)
    if found is None:
        return {}
    try:
        document = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{found}: cannot be read: {error}")
        return {}
    flat = _flatten(document)
    problems += [f"{name}: there is no such setting" for name in flat if not _is_known(name)]
    return {name: value for name, value in flat.items() if _is_known(name)}


def _is_known(name: str) -> bool:
    return name in _FIELDS or name == "keys_file"


def _flatten(document: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """``[mail] url`` becomes ``mail_url``; a table that is itself a setting stays whole."""
    flat: dict[str, object] = {}
    for key, value in document.items():
        name = prefix + key
        if isinstance(value, dict) and name not in _FIELDS:
            flat |= _flatten(value, f"{name}_")
        else:
            flat[name] = value
    return flat


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
    location = (path.parent if path else Path()) / str(name)
    try:
        values["keys"] = location.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"keys_file: {location} cannot be read: {error}")


def _parse(values: Mapping[str, object], problems: list[str]) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for name, item in _FIELDS.items():
        if values.get(name) is not None:
            try:
                parsed[name] = item.metadata["parse"](values[name])
            except ValueError as error:
                problems.append(f"{name}: {error}")
        elif item.metadata["required"] and not _already_blamed(name, problems):
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
    if parsed.get("demo") and host not in LOOPBACK_HOSTS:
        problems.append("demo: only on a loopback issuer, because everybody can read its mail")
    return problems
