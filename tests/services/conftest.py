"""Services over both databases, without an application around them."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from idp.audit import Context
from idp.config import Settings
from idp.models import db
from idp.secrecy import Box
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases
from tests.services.bare import bare_app, create_schema


@pytest.fixture(scope="session")
def bare_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = Databases(tmp_path_factory.mktemp("databases"), create_schema)
    yield databases
    databases.close()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, bare_databases: Databases) -> Iterator[str]:
    with bare_databases.fresh(request.param) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.load(
        environ={},
        issuer="https://id.example.com",
        keys=[Fernet.generate_key().decode()],
        database_url=database_url,
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
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def context(clock: FakeClock) -> Context:
    return Context(at=clock(), address="192.0.2.1")


def at(moment: datetime) -> Context:
    return Context(at=moment, address="192.0.2.1")
