"""Grants and the tokens that they bought."""

from collections.abc import Iterator
from typing import Final

from tests.bench.scale.made_up import MadeUp, Table
from tests.bench.scale.rows.clients import CLIENT, SCOPE, of_person
from tests.bench.scale.size import Size

REFRESH: Final = "refresh-token-"
"""And the number (``secret_at``). The even ones were used, and the odd ones came after them."""


def tables(sql: MadeUp, size: Size) -> Iterator[Table]:
    """The grants go around among the people, and so do the tokens."""
    yield _grants(sql, size)
    yield _refresh_tokens(sql, size)
    yield _access_tokens(sql, size)


def _grants(sql: MadeUp, size: Size) -> Table:
    person = f"i % {size.people}"
    return Table(
        "grants",
        size.grants,
        {
            "id": sql.id_at("grant"),
            "client_id": f"'{CLIENT}' || {of_person(size, person)}",
            "user_id": sql.id("user", person),
            "session_id": sql.id_at("session", person),
            "scope": f"'{SCOPE}'",
            "acr": "'urn:idp:acr:1fa'",
            "amr": "'pwd'",
            "auth_time": sql.at("-9"),
            "request": '\'{"redirect_uri":"https://client.example/callback","rung":1}\'',
            "code_hash": sql.filed("code-"),
            "code_expires_at": sql.at("-9"),
            "code_used_at": sql.at("-9"),
            "created_at": sql.at("-9"),
            "expires_at": sql.at("9000000 + i % 1000000"),
        },
    )


def _refresh_tokens(sql: MadeUp, size: Size) -> Table:
    until = sql.at("8000000 + i % 1000000")
    return Table(
        "refresh_tokens",
        size.refresh,
        {
            "id": sql.id_at("refresh"),
            "token_hash": sql.filed(REFRESH),
            "grant_id": sql.id_at("grant", "i / 2"),
            "scope": f"'{SCOPE}'",
            "created_at": sql.at("-9"),
            "expires_at": until,
            "line_ends_at": until,
            "used_at": f"CASE i % 2 WHEN 0 THEN {sql.at('-7')} END",
        },
    )


def _access_tokens(sql: MadeUp, size: Size) -> Table:
    return Table(
        "access_tokens",
        size.access,
        {
            "token_hash": sql.filed("access-token-"),
            "grant_id": sql.id_at("grant", f"i % {size.grants}"),
            "scope": f"'{SCOPE}'",
            "audience": "'[]'",
            "issued_at": sql.at("-9"),
            "expires_at": sql.at("8000000 + i % 1000000"),
        },
    )
