"""The whole application, spoken to by relying parties; sign-in itself is skipped."""

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet

from idp.config import load_settings
from idp.models import db
from idp.services.jose import ALGORITHMS, make_key
from tests.helpers.clock import FakeClock
from tests.oidc.desk import Desk, Keys


@pytest.fixture(scope="session")
def made_keys() -> Keys:
    """One key of each kind for all tests of this process: RSA keys take their time."""
    return {algorithm: make_key(algorithm) for algorithm in ALGORITHMS}


@pytest.fixture
def desk(database_url: str, clock: FakeClock, made_keys: Keys) -> Iterator[Desk]:
    settings = load_settings(
        environ={},
        issuer="https://id.example.com",
        keys=[Fernet.generate_key().decode()],
        database_url=database_url,
    )
    desk = Desk(settings, clock, made_keys)
    yield desk
    with desk.app.app_context():
        db.engine.dispose()
