"""On PostgreSQL a row that changes stays in its page, and so every index as it is."""

import psycopg
import pytest
from sqlalchemy import make_url

CHANGES = {
    "a code is redeemed": "UPDATE grants SET code_used_at = now() WHERE id = '0'",
    "a token is used": "UPDATE refresh_tokens SET used_at = now() WHERE id = '0'",
    "a session is seen": "UPDATE sessions SET last_seen_at = now() WHERE id = '0'",
    "a password is used": "UPDATE credentials SET last_used_at = now() WHERE id = '0'",
    "more is allowed": "UPDATE consents SET scope = 'openid email' WHERE id = '0'",
    "a sign-in goes on": "UPDATE transactions SET version = 1 WHERE id = '0'",
}
FILL = """
    SET session_replication_role = replica;
    INSERT INTO grants (id, client_id, scope, request, created_at, expires_at)
        SELECT i, 'shop', 'openid', '{}', now(), now() FROM generate_series(0, 300) AS n(i);
    INSERT INTO refresh_tokens (id, token_hash, grant_id, scope, created_at, expires_at)
        SELECT i, i, '0', 'openid', now(), now() FROM generate_series(0, 300) AS n(i);
    INSERT INTO sessions (id, user_id, persistent, user_agent, address, created_at, last_seen_at,
                          expires_at)
        SELECT i, 'ann', false, '', '', now(), now(), now() FROM generate_series(0, 300) AS n(i);
    INSERT INTO credentials (id, user_id, kind, counter, data, created_at)
        SELECT i, 'ann', 'password', 0, '{}', now() FROM generate_series(0, 300) AS n(i);
    INSERT INTO consents (id, user_id, client_id, scope, granted_at, last_used_at)
        SELECT i, i, 'shop', 'openid', now(), now() FROM generate_series(0, 300) AS n(i);
    INSERT INTO transactions (id, browser_hash, version, state, started_at, expires_at)
        SELECT i, '', 0, '{}', now(), now() FROM generate_series(0, 300) AS n(i);
"""


@pytest.fixture
def connection(postgresql_url):
    url = make_url(postgresql_url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(url, autocommit=True) as found:
        # A copy of the database that was used before is emptied, and its pages keep the marks.
        found.execute(f"VACUUM {', '.join({change.split()[1] for change in CHANGES.values()})}")
        found.execute(FILL)
        yield found


def page_of(connection, table: str) -> int:
    where = f"SELECT (ctid::text::point)[0] FROM {table} WHERE id = '0'"  # noqa: S608
    return int(connection.execute(where).fetchone()[0])


def test_what_a_row_becomes_is_beside_what_it_was(connection):
    moved = {}
    for what, change in CHANGES.items():
        table = change.split()[1]
        before = page_of(connection, table)
        connection.execute(change)
        moved[what] = page_of(connection, table) - before
    assert moved == dict.fromkeys(CHANGES, 0)


def test_where_a_page_was_filled_to_its_end_it_is_elsewhere(connection):
    """What the other test would see if there were no room."""
    connection.execute("CREATE TABLE full_pages AS SELECT * FROM refresh_tokens")
    connection.execute("UPDATE full_pages SET used_at = now() WHERE id = '0'")
    assert page_of(connection, "full_pages") > 0
