"""What the generator makes up fits together, and fits the tables as they are."""

from sqlalchemy import create_engine, text

from tests.bench.scale.fill import Size, disk_bytes, fill

SIZE = Size(people=30, clients=5, tokens=40, audit=50)
COUNTS = {
    "users": 30,
    "credentials": 30,
    "sessions": 30,
    "evidence": 30,
    "clients": 5,
    "consents": 30,
    "grants": 20,
    "refresh_tokens": 40,
    "audit_events": 50,
}


def test_everything_is_there_and_refers_to_what_is_there(database_url: str) -> None:
    told: list[str] = []
    fill(database_url, SIZE, told.append)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in COUNTS
        }
        lost = connection.scalar(
            text(
                "SELECT count(*) FROM refresh_tokens t LEFT JOIN grants g ON g.id = t.grant_id "
                "LEFT JOIN users u ON u.id = g.user_id LEFT JOIN clients c ON c.id = g.client_id "
                "WHERE u.id IS NULL OR c.id IS NULL"
            )
        )
    engine.dispose()
    assert found == COUNTS
    assert lost == 0
    assert disk_bytes(database_url) > 0
    assert told[-1] == "analysing"
