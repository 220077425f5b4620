"""The smallest application that services run in: a database, and no pages."""

from flask import Flask

from idp.models import db
from idp.models.base import engine_options, prepare_engine


def bare_app(database_url: str) -> Flask:
    """An application with nothing in it but the database at ``database_url``."""
    app = Flask("bare")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(database_url)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    return app
