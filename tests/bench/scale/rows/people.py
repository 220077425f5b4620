"""People, how they sign in, the browsers they have done it in, and their groups."""

from collections.abc import Iterator
from typing import Final

from idp.config import Settings, load_settings
from idp.passwords import Hasher
from tests.bench.scale.made_up import MadeUp, Table
from tests.bench.scale.size import GROUPS, Size
from tests.bench.world import CHEAP_HASH
from tests.helpers.house import PASSWORD
from tests.helpers.servers import TEST_KEY

DISABLED_EVERY: Final = 8
CREW: Final = 200
"""Of the people with a lower number, those with an odd one are the crew."""
SESSION: Final = "session-of-person-"
"""And the number (``secret_at``): what the cookie of her session says."""


def tables(sql: MadeUp, size: Size) -> Iterator[Table]:
    """One account, password, session and consent each."""
    yield from _accounts(sql, size)
    yield from _sessions(sql, size)
    yield from _groups(sql, size)


def _accounts(sql: MadeUp, size: Size) -> Iterator[Table]:
    person = sql.id("user")
    stored = Hasher(_settings()).hash(PASSWORD)
    long_ago = sql.at("-9000000 - i % 1000000")  # who is new is looked at by upkeep
    disabled = f"CASE WHEN i % {DISABLED_EVERY} = {DISABLED_EVERY - 1} THEN {sql.at('-9')} END"
    yield Table(
        "users",
        size.people,
        {
            "id": person,
            "email": "'someone' || i || '@example.org'",
            "email_verified": "true",
            "name": "'Given' || (i % 1000) || ' Family' || i",
            "profile": "'{}'",
            "webauthn_handle": f"'handle' || {person}",
            "disabled_at": disabled,
            "created_at": long_ago,
            "updated_at": long_ago,
        },
    )
    yield _words(sql, size)
    yield Table(
        "credentials",
        size.people,
        {
            "id": sql.id("credential"),
            "user_id": person,
            "kind": "'password'",
            "lookup": person,
            "counter": "0",
            "data": f'\'{{"hash":"{stored}"}}\'',
            "created_at": sql.at("-9"),
        },
    )


def _words(sql: MadeUp, size: Size) -> Table:
    """As ``idp.services.person_words`` has them."""
    own = ("'given' || ((i / 5) % 1000)", "'family' || (i / 5)", "'someone' || (i / 5)")
    cases = " ".join(f"WHEN {n} THEN {word}" for n, word in enumerate((*own, "'example'")))
    columns = {"user_id": sql.id("user", "i / 5"), "word": f"CASE i % 5 {cases} ELSE 'org' END"}
    return Table("person_words", size.people * 5, columns)


def _settings() -> Settings:
    """As the servers have them that are measured, so that no hash is out of date."""
    told = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP_HASH.items()}
    return load_settings(environ={"IDP_ISSUER": "http://localhost", "IDP_KEYS": TEST_KEY, **told})


def _sessions(sql: MadeUp, size: Size) -> Iterator[Table]:
    yield Table(
        "sessions",
        size.people,
        {
            "id": sql.id_at("session"),
            "token_hash": sql.filed(SESSION),
            "user_id": sql.id("user"),
            "persistent": "false",
            "user_agent": "'Firefox'",
            "address": "'192.0.2.1'",
            "created_at": sql.at("-9"),
            # A while ahead, so that being seen again is nothing to be noted in either database.
            "last_seen_at": sql.at("36000"),
            "expires_at": sql.at("9000000 + i % 1000000"),
        },
    )
    yield Table(
        "evidence",
        size.people,
        {
            "session_id": sql.id_at("session"),
            "transaction_id": sql.id_at("transaction"),
            "method": "'password'",
            "credential_id": sql.id("credential"),
            "proves": "'knowledge'",
            "amr": "'pwd'",
            "enrolled": "false",
            "at": sql.at("-9"),
        },
    )


def _groups(sql: MadeUp, size: Size) -> Iterator[Table]:
    """Half of all are staff; the crew are as many in any database."""
    name = "CASE i WHEN 0 THEN 'staff' WHEN 1 THEN 'crew' ELSE 'team ' || i END"
    yield Table("groups", GROUPS, {"id": sql.id("group"), "name": name})
    team = f"CASE WHEN i % 2 = 0 THEN 0 WHEN i < {CREW} THEN 1 ELSE 2 + i % {GROUPS - 2} END"
    members = {"user_id": sql.id("user"), "group_id": sql.id("group", team)}
    yield Table("memberships", size.people, members)
