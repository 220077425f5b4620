"""An engine beside the program's: what somebody else does with the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine


@contextmanager
def engine_beside(url: str | URL) -> Iterator[Engine]:
    """Its connections are given back, whatever happens inside."""
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
