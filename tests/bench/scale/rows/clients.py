"""Applications, their secrets, the words they are found by, and who has allowed them what."""

from collections.abc import Iterator
from typing import Final

from idp.json_text import dump_sorted
from idp.protocol.registration import parse_client_metadata
from tests.bench.scale.made_up import MadeUp, Table
from tests.bench.scale.size import Size

CLIENT: Final = "client"
"""And the number: the id."""
SECRET: Final = "secret-of-client-"
"""And the number: what it authenticates with."""
SCOPE: Final = "openid profile email offline_access"
ADDRESS: Final = "https://host{number}.example.com/callback"

_NAME: Final = "@name@"
_NUMBER: Final = "@number@"


def of_person(size: Size, number: str = "i") -> str:
    """The number of the client that the person of that number signs in to."""
    return f"(({number}) % {size.clients})"


def tables(sql: MadeUp, size: Size) -> Iterator[Table]:
    """Each with the name, the addresses and the secret that its number tells."""
    yield from _registrations(sql, size)
    yield _words(sql, size)
    yield from _consents(sql, size)


def _rare(sql: MadeUp, number: str = "i") -> str:
    """A word of its name that no other has."""
    return f"substr({sql.id('name', number)}, 1, 8)"


def _registrations(sql: MadeUp, size: Size) -> Iterator[Table]:
    members = {
        "client_name": _NAME,
        "redirect_uris": [ADDRESS.format(number="0")],
        "grant_types": ["authorization_code", "refresh_token"],
        "id_token_signed_response_alg": "ES256",
    }
    written = dump_sorted(parse_client_metadata(members).to_json())
    written = written.replace("host0", f"host{_NUMBER}")
    parts = f"'{written}'".replace(_NUMBER, "' || i || '")
    name = f"'Application ' || {_rare(sql)}"
    registration = parts.replace(_NAME, f"' || {name} || '")
    since = {"created_at": sql.at("-9"), "updated_at": sql.at("-9")}
    yield Table(
        "clients",
        size.clients,
        {
            "id": f"'{CLIENT}' || i",
            "name": name,
            "registration": sql.document(registration),
            "managed_by": "'command'",
            "revision": "1",
            **since,
        },
    )
    yield Table(
        "client_secrets",
        size.clients,
        {
            "id": sql.id("client secret"),
            "client_id": f"'{CLIENT}' || i",
            "secret_hash": sql.digest(f"'{SECRET}' || i"),
            "prefix": "'secret'",
            "created_at": sql.at("-9"),
            "last_used_at": sql.at("36000"),
        },
    )


def _words(sql: MadeUp, size: Size) -> Table:
    """As ``idp.services.client_words`` has them."""
    same = ("application", "example", "com", "callback")
    own = (_rare(sql, "i / 7"), f"'{CLIENT}' || (i / 7)", "'host' || (i / 7)")
    words = (*(f"'{word}'" for word in same), *own)
    cases = " ".join(f"WHEN {number} THEN {word}" for number, word in enumerate(words))
    columns = {"client_id": f"'{CLIENT}' || (i / 7)", "word": f"CASE i % 7 {cases} END"}
    return Table("client_words", size.clients * 7, columns)


def _consents(sql: MadeUp, size: Size) -> Iterator[Table]:
    theirs = {"client_id": f"'{CLIENT}' || {of_person(size)}"}
    yield Table(
        "consents",
        size.people,
        {
            "id": sql.id_at("consent"),
            "user_id": sql.id("user"),
            **theirs,
            "scope": f"'{SCOPE}'",
            "granted_at": sql.at("-9"),
            "last_used_at": sql.at("-9"),
        },
    )
    yield Table(
        "session_clients",
        size.people,
        {"session_id": sql.id_at("session"), **theirs, "since": sql.at("-9")},
    )
