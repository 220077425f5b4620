"""Files of people from elsewhere: each program's record turned into the fields of an account."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_PEOPLE: Final = 10_000
MAX_BYTES: Final = 16 * 1024 * 1024


class Unreadable(Exception):
    """The file cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One person as a file has it. ``place`` is the line, or how many records come before."""

    place: int
    fields: Mapping[str, Any]
    hashed: str | None
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FirebaseKey:
    """The project's hash parameters, as the Firebase console shows them."""

    signer_key: str
    salt_separator: str
    rounds: int = 8
    mem_cost: int = 14


def records(content: bytes, *, firebase: FirebaseKey | None = None) -> list[Record]:
    """The people in a file: CSV, JSON, or one JSON object a line. Raises ``Unreadable``."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file has more than {MAX_BYTES // 2**20} MB: split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The file is not UTF-8 text.") from error
    begins = text.lstrip()[:1]
    found = [
        _record(place, one, firebase)
        for place, one in enumerate(_json(text) if begins in ("{", "[") else _csv(text), 1)
    ]
    if len(found) > MAX_PEOPLE:
        raise Unreadable(f"The file has more than {MAX_PEOPLE:,} people: split it.")
    if not found:
        raise Unreadable("There is nobody in the file.")
    return found


def _json(text: str) -> Iterator[Any]:
    try:
        read = json.loads(text)
    except RecursionError as error:
        raise Unreadable("The file is nested too deep.") from error
    except ValueError:
        read = _lines(text)
    people = read.get("users", [read]) if isinstance(read, dict) else read
    if not isinstance(people, list):
        raise Unreadable("The file holds no list of people.")
    yield from people


def _lines(text: str) -> list[Any]:
    """As Auth0 exports: one object a line."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The file is not JSON: {error}.") from error


def _csv(text: str) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = {"email", "email_verified", "name", "username", "groups", "password_hash"}
    unknown = [name for name in reader.fieldnames or () if name not in names]
    if unknown or "email" not in (reader.fieldnames or ()):
        raise Unreadable(f"The first line must name columns, of: {', '.join(sorted(names))}.")
    try:
        for row in reader:
            yield _cells(row)
    except csv.Error as error:
        raise Unreadable(f"The file is not CSV: {error}.") from error


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: value for name, value in row.items() if name and value}
    if "groups" in found:
        found["groups"] = [one.strip() for one in found["groups"].split(";") if one.strip()]
    if "email_verified" in found:
        words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        said = found["email_verified"]
        found["email_verified"] = words.get(said.strip().lower(), said)
    return found


def _record(place: int, one: Any, firebase: FirebaseKey | None) -> Record:
    if not isinstance(one, dict):
        return Record(place, {"email": None}, None)
    try:
        return _read(place, one, firebase)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        told = "is not of the form that the program writes that it looks to be from"
        raise Unreadable(f"Record {place} {told}.") from error


def _read(place: int, one: dict[str, Any], firebase: FirebaseKey | None) -> Record:
    if firebase is not None and "passwordHash" in one and "salt" in one:
        one = one | {"passwordHash": _firebase(one, firebase)}
    reader = next((read for is_it, read in _PROGRAMS if is_it(one)), _own)
    fields, hashed = reader(one)
    if not isinstance(hashed, str | None):
        raise TypeError
    kept = {name: value for name, value in fields.items() if value is not None}
    return Record(place, kept, hashed, disabled=_is_disabled(one))


def _is_disabled(one: Mapping[str, Any]) -> bool:
    inner = one.get("fields", {}) if isinstance(one.get("fields"), dict) else {}
    said = (one.get("enabled", True), not one.get("disabled"), inner.get("is_active", True))
    return not all(said) or bool(one.get("blocked"))


def _own(one: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Ours, as ``idp users export`` writes it. A role is no field of a file.

    An address that an administrator names is taken to be right, as by ``idp users create``.
    """
    given = {"email_verified": True, **one}
    hashed = given.pop("password_hash", None)
    for name in ("id", "disabled", "created_at", "state"):
        given.pop(name, None)
    return given, hashed


def _keycloak(one: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    names = [part for part in (one.get("firstName"), one.get("lastName")) if part]
    fields = {
        "email": one.get("email"),
        "email_verified": bool(one.get("emailVerified")),
        "username": None if "@" in str(one.get("username")) else one.get("username"),
        "name": " ".join(map(str, names)) or None,
        "groups": [str(name).strip("/") for name in one.get("groups") or ()],
    }
    found = [_keycloak_hash(each) for each in one.get("credentials") or ()]
    return fields, next((each for each in found if each), None)


def _keycloak_hash(credential: Any) -> str | None:
    """https://www.keycloak.org/docs: ``secretData`` and ``credentialData`` are JSON in text."""
    if not isinstance(credential, dict) or credential.get("type") != "password":
        return None
    try:
        secret = json.loads(credential["secretData"])
        how = json.loads(credential["credentialData"])
        if how["algorithm"] == "argon2":
            return _keycloak_argon2(secret, how)
        kept = (how["algorithm"], how["hashIterations"], secret["salt"], secret["value"])
        return f"${'$'.join(map(str, kept))}"
    except (KeyError, TypeError, ValueError):
        return "unreadable"


def _keycloak_argon2(secret: Mapping[str, Any], how: Mapping[str, Any]) -> str:
    more = {name: values[0] for name, values in how["additionalParameters"].items()}
    version = {"1.0": 16, "1.3": 19}[more.get("version", "1.3")]
    cost = f"m={more['memory']},t={how['hashIterations']},p={more['parallelism']}"
    salt, value = secret["salt"].rstrip("="), secret["value"].rstrip("=")
    return f"$argon2{more.get('type', 'id')}$v={version}${cost}${salt}${value}"


def _auth0(one: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    fields = {
        "email": one.get("email"),
        "email_verified": bool(one.get("email_verified")),
        "username": one.get("username"),
        "name": one.get("name"),
    }
    return fields, one.get("passwordHash")


def _firebase_person(one: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    fields = {
        "email": one.get("email"),
        "email_verified": bool(one.get("emailVerified")),
        "name": one.get("displayName"),
    }
    return fields, one.get("passwordHash")


def _firebase(one: Mapping[str, Any], key: FirebaseKey) -> str:
    kept = (key.mem_cost, key.rounds, key.salt_separator, key.signer_key)
    return "$".join(map(str, ("", "firebase-scrypt", *kept, one["salt"], one["passwordHash"])))


def _django(one: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    given = one["fields"]
    names = [part for part in (given.get("first_name"), given.get("last_name")) if part]
    hashed = given.get("password") or None
    fields = {
        "email": given.get("email"),
        "email_verified": False,
        "username": None if "@" in str(given.get("username")) else given.get("username"),
        "name": " ".join(names) or None,
    }
    # Django writes its Argon2 hashes after a word, and "!" where there is no password.
    usable = hashed if hashed and not hashed.startswith("!") else None
    return fields, usable.removeprefix("argon2") if usable else None


Reader = Callable[[Mapping[str, Any]], tuple[dict[str, Any], str | None]]
_PROGRAMS: Final[tuple[tuple[Callable[[Mapping[str, Any]], bool], Reader], ...]] = (
    (lambda one: isinstance(one.get("fields"), dict) and "model" in one, _django),
    (lambda one: "localId" in one, _firebase_person),
    (lambda one: "credentials" in one or "emailVerified" in one, _keycloak),
    (lambda one: "passwordHash" in one or "user_id" in one or "_id" in one, _auth0),
)
"""By what only this program's records have."""
