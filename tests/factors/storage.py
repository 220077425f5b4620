"""``db.session`` and what factors are built with, and nothing of the application around them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet
from flask import Flask

from idp.config import load_settings
from idp.factors.base import Tools
from idp.models import User, db
from idp.models.base import engine_options, prepare_engine
from idp.secrecy import Box
from tests.helpers.clock import NOON, FakeClock

KEY = Fernet.generate_key().decode()


@contextmanager
def storage(url: str) -> Iterator[None]:
    """``db.session`` works inside."""
    app = Flask("storage")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def make_tools(key: str = KEY, **settings: Any) -> Tools:
    """What factors are built with, on one key."""
    wanted = {"issuer": "https://id.example.org", "keys": [key], "mail_url": "console:", **settings}
    loaded = load_settings(environ={}, **wanted)
    return Tools(settings=loaded, box=Box(loaded.keys), clock=FakeClock())


def add_person(email: str, *, now: datetime = NOON, **values: Any) -> User:
    """A committed person with a verified address."""
    person = User(
        email=email,
        email_verified=values.pop("email_verified", True),
        webauthn_handle=secrets.token_urlsafe(64),
        created_at=now,
        updated_at=now,
        **values,
    )
    db.session.add(person)
    db.session.commit()
    return person
