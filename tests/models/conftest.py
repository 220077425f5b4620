"""The program's models over a database, without anything that uses them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from idp.models import db
from tests.services.bare import bare_app


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """Over each of the databases."""
    with _over(database_url) as made:
        yield made


@pytest.fixture
def over_postgresql(postgresql_url: str) -> Iterator[Flask]:
    """Over the one of them that has a server, which can go away."""
    with _over(postgresql_url) as made:
        yield made


@contextmanager
def _over(url: str) -> Iterator[Flask]:
    made = bare_app(url)
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()
