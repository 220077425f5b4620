"""Services over both databases, without an application around them."""

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from idp.audit import Context
from idp.config import Settings, load_settings
from idp.models import db
from idp.secrecy import Box
from tests.factors.race import Racetrack, racetrack
from tests.factors.storage import storage
from tests.helpers.clock import FakeClock
from tests.services.bare import bare_app


@pytest.fixture
def settings(database_url: str) -> Settings:
    return load_settings(
        environ={},
        issuer="https://id.example.com",
        keys=[Fernet.generate_key().decode()],
        database_url=database_url,
        mail_url="console:",  # nobody empties the outbox here: mails are read from it
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = bare_app(settings.database_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def box(settings: Settings) -> Box:
    return Box(settings.keys)


@pytest.fixture
def context(clock: FakeClock) -> Context:
    return Context(at=clock(), address="192.0.2.1")


@pytest.fixture
def raced_url(database_url: str) -> Iterator[str]:
    """The address of tables that several processes fight over, on each kind of database."""
    with storage(database_url):
        yield database_url


@pytest.fixture(scope="session")
def track() -> Iterator[Racetrack]:
    """The processes that fight: the same for all of these tests, each time over other tables."""
    with racetrack() as made:
        yield made
