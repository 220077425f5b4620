"""Flask without what this program does not use, where that would cost something every request."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer


class FormSessions(SecureCookieSessionInterface):
    """The signed cookie that forms are guarded by. Its key is the application's, made once."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _serializer(self) -> URLSafeTimedSerializer | None:
        return super().get_signing_serializer(self._app)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The same for every request."""
        return self._serializer

    def open_session(self, app: Flask, request: Any) -> SecureCookieSession | None:
        """Who brings no cookie has nothing to be read."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


class App(Flask):
    """No view of ours is a coroutine, so none is asked whether it is."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.session_interface = FormSessions(self)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is."""
        return func
