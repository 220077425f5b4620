"""Flask without what this program does not use, where that would cost something every request."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import flask
from flask import Flask
from flask.globals import _cv_request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.signals import appcontext_tearing_down, request_tearing_down
from itsdangerous import BadSignature
from werkzeug.http import dump_cookie
from werkzeug.routing import MapAdapter

from idp.web import here
from idp.web.requests import Request
from idp.web.responses import Response, says
from idp.web.routing import Adapter, Matches
from idp.web.signing import Serializer, Tagged

Hooks: TypeAlias = tuple[Callable[..., Any], ...]


class FormSession(SessionMixin):
    """What the cookie holds, read when somebody looks: at most addresses nobody does."""

    modified = False

    def __init__(self, read: Callable[[], Mapping[str, Any] | None]) -> None:
        self._read = read
        self._held: dict[str, Any] | None = None

    @property
    def held(self) -> dict[str, Any]:
        """All of it."""
        if self._held is None:
            self._held = dict(self._read() or {})
        return self._held

    def __getitem__(self, name: str) -> Any:
        return self.held[name]

    def get(self, name: str, default: Any = None) -> Any:
        """What is held by that name."""
        return self.held.get(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        self.held[name] = value
        self.modified = True

    def __delitem__(self, name: str) -> None:
        del self.held[name]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


class FormSessions(SecureCookieSessionInterface):
    """The signed cookie that forms are guarded by. Its key is the application's, made once."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _serializer(self) -> Serializer:
        app = self._app
        return Serializer(
            [*app.config["SECRET_KEY_FALLBACKS"], app.secret_key],  # the newest comes last
            salt=self.salt,
            serializer=Tagged(),
            signer_kwargs={"key_derivation": self.key_derivation},
        )

    def get_signing_serializer(self, app: Flask) -> Serializer:
        """The same for every request."""
        return self._serializer

    def open_session(self, app: Flask, request: Any) -> Any:
        """Nothing is read yet."""
        return FormSession(partial(self._read, request))

    def _read(self, request: Any) -> Any:
        name, _attributes = self._cookie
        sent = next((value for called, value in request.pairs if called == name), None)
        try:
            return self._serializer.loads(sent, max_age=self._lifetime) if sent else None
        except BadSignature:
            return None

    @cached_property
    def _lifetime(self) -> int:
        return int(self._app.permanent_session_lifetime.total_seconds())

    def save_session(self, app: Flask, session: Any, response: Any) -> None:
        """What nobody looked at has not changed; what only was looked at is not sent again."""
        if session.modified and not session:
            super().save_session(app, session, response)  # which takes the cookie back
        elif session.modified or session.accessed:
            _depends_on_cookies(response)
            if session.modified:
                name, attributes = self._cookie
                value = self._serializer.dumps(session.held)
                response.headers.add("Set-Cookie", f"{name}={value}{attributes}")

    @cached_property
    def _cookie(self) -> tuple[str, str]:
        """Its name, and what is said beside its value, in which nothing has to be quoted."""
        app, name = self._app, self.get_cookie_name(self._app)
        nothing = dump_cookie(
            name,
            domain=self.get_cookie_domain(app),
            path=self.get_cookie_path(app),
            secure=self.get_cookie_secure(app),
            httponly=self.get_cookie_httponly(app),
            samesite=self.get_cookie_samesite(app),
        )
        return name, nothing.removeprefix(f"{name}=")


def _depends_on_cookies(response: Any) -> None:
    if says(response, "Vary"):
        response.vary.add("Cookie")
    else:
        response.headers.add("Vary", "Cookie")


class App(Flask):
    """No view of ours is a coroutine, and no host but the issuer's is ours."""

    request_class = Request
    response_class = Response

    def __init__(self, *arguments: Any, issuer: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.session_interface = FormSessions(self)
        self._place = urlsplit(issuer)
        self._known: dict[str | None, tuple[Hooks, Hooks]] = {}
        self._matches = Matches()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is."""
        return func

    def create_url_adapter(self, request: Any) -> MapAdapter | None:
        """Addresses are the issuer's, whatever the Host header says."""
        if request is None:
            return super().create_url_adapter(None)
        return Adapter(
            self.url_map,
            self._place.netloc,
            f"{request.root_path}/",
            "",
            self._place.scheme,
            request.path,
            request.method,
            request.query_string.decode("latin-1"),
            matches=self._matches,
        )

    def make_response(self, rv: Any) -> Any:
        """Where Flask's own response was made it becomes ours, as Werkzeug has it in the end."""
        if type(rv) is flask.Response:
            rv.__class__ = Response
        return rv if isinstance(rv, Response) else super().make_response(rv)

    def preprocess_request(self) -> Any:
        """What is to be done before the view; the first that answers ends it."""
        before, _after = self._around(here.asked())
        for hook in before:
            if (answer := hook()) is not None:
                return answer
        return None

    def process_response(self, response: Any) -> Any:
        """What is to be done with the answer, the last that was registered first."""
        context: Any = _cv_request.get()
        _before, after = self._around(context.request)
        for hook in (*context._after_request_functions, *after):
            response = hook(response)
        self.session_interface.save_session(self, context._session, response)
        return response

    def do_teardown_request(self, *arguments: Any, **named: Any) -> None:
        """For whoever wants to hear that a request is over."""
        if self.teardown_request_funcs or request_tearing_down.receivers:
            super().do_teardown_request(*arguments, **named)

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        """The same for what surrounds it; the database's sessions are ended by that."""
        for end in reversed(self.teardown_appcontext_funcs):
            end(exc)
        if appcontext_tearing_down.receivers:
            appcontext_tearing_down.send(self, exc=exc)

    def _around(self, asked: flask.Request) -> tuple[Hooks, Hooks]:
        """An endpoint's hooks, before and after: put together once, not for every request."""
        known = self._known.get(asked.endpoint)
        if known is None:
            names = (None, *reversed(asked.blueprints))
            before = [hook for name in names for hook in self.before_request_funcs.get(name, ())]
            after = [hook for name in names for hook in self.after_request_funcs.get(name, ())]
            known = self._known[asked.endpoint] = tuple(before), tuple(reversed(after))
        return known
