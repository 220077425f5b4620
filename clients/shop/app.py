"""Lampwright, a shop for lamps and lanterns: an OpenID Connect relying party to run and to copy.

``python app.py`` serves it. It signs people in, shows what it was told about them, asks for a
better sign-in where it wants one, and calls an API that does the same (RFC 9470).
"""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from config import HERE, Config
from flask import Flask, abort, redirect, render_template, request
from ledger import Ledger, read_amount, wrong_with
from memory import Memory, Typed, Visitor, Visitors, Wish
from sign_in import Refused, SignIn
from sign_out import SignOut, Untrue
from wares import DELIVERY, WARES, Order
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response
from words import DONE, acr_in_words, ago, amr_in_words, as_text, clock_time, wrong

KINDS: Final[Mapping[str, Wish]] = {
    "fresh": Wish(max_age=0),
    "two_factors": Wish(acr_values=("urn:idp:acr:mfa",)),
    "phishing_resistant": Wish(acr_values=("phr",)),
}
"""What each button asks the provider for."""

EXAMPLE: Final = Typed("", "Harbour Glassworks", "12.50")
"""What stands in the form before anything is typed."""

_AWAY: Final = frozenset({"unreachable", "ledger_unreachable", "temporarily_unavailable"})


class Shop:
    """The pages, one method each."""

    def __init__(self, app: Flask, config: Config, clock: Callable[[], float]) -> None:
        memory = Memory(clock)
        self._account_url = config.account_url
        self._visitors = Visitors(memory)
        self._sign_in = SignIn(app, config, memory, clock)
        self._sign_out = SignOut(config, memory, clock, self._sign_in.keys)
        self._ledger = Ledger(self._sign_in, config.ledger)

    def home(self) -> str:
        """The shop window."""
        return self._page("home.html", wares=WARES)

    def begin(self) -> Response:
        """Off to the provider."""
        return redirect(self._sign_in.begin(self._visitors.current(), "sign_in"), 303)

    def step_up(self, kind: str) -> Response:
        """The same, asking for more."""
        if kind not in KINDS:
            abort(404)
        return redirect(self._sign_in.begin(self._known(), kind, KINDS[kind]), 303)

    def callback(self) -> Response:
        """Back from the provider."""
        visitor = self._visitors.current()
        asked, signed_in = self._sign_in.finish(visitor, request.args)
        visitor.notice = DONE[asked.purpose]
        if asked.purpose == "confirm":
            # Its tokens are about this one order: the sign-in from before stays what it was.
            visitor.confirmation = signed_in.claims["authorization_details"][0]
            return redirect("/order", 303)
        visitor.signed_in = signed_in
        self._visitors.renew(visitor)
        if asked.purpose == "ledger":
            return self._send_transfer(visitor, follow=False)
        return redirect("/account", 303)

    def account(self) -> str:
        """Who the person is, how that was proved, and the buttons that ask for more."""
        signed_in = self._known().signed_in
        return self._page("account.html", signed_in=signed_in)

    def order(self) -> str:
        """The basket."""
        visitor = self._known()
        order, told = _order(visitor), visitor.confirmation
        return self._page("order.html", order=order, delivery=DELIVERY, confirmation=told)

    def confirm(self) -> Response:
        """Have the person confirm exactly this order, at the provider (RFC 9396)."""
        visitor = self._known()
        wish = Wish(details=(_order(visitor).details(),))
        return redirect(self._sign_in.begin(visitor, "confirm", wish), 303)

    def ledger(self) -> str:
        """The balance, and what was typed last unless it was sent."""
        visitor = self._known()
        balance = self._ledger.balance(visitor)
        wrong, visitor.wrong = visitor.wrong, None
        return self._ledger_page(visitor, balance, {"amount": wrong} if wrong else {})

    def _ledger_page(self, visitor: Visitor, balance: str, wrong: Mapping[str, str]) -> str:
        typed, person = visitor.typed, visitor.signed_in
        if typed is None or person is None or typed.sub != person.sub:
            typed = EXAMPLE
        return self._page("ledger.html", balance=balance, typed=typed, wrong=wrong)

    def transfer(self) -> Response | tuple[str, int]:
        """Have the ledger move money; before anybody is asked to prove anything, read how much."""
        visitor = self._known()
        payee, amount = (request.form.get(name, "").strip() for name in ("payee", "amount"))
        visitor.typed = Typed(visitor.signed_in.sub if visitor.signed_in else "", payee, amount)
        balance = self._ledger.balance(visitor)
        if wrong := wrong_with(payee, amount, balance):
            return self._ledger_page(visitor, balance, wrong), 422
        read = read_amount(amount) or ""
        visitor.transfer = {"id": secrets.token_urlsafe(12), "payee": payee, "amount": read}
        return self._send_transfer(visitor, follow=True)

    def _send_transfer(self, visitor: Visitor, *, follow: bool) -> Response:
        """``follow`` a challenge once only: two that disagree would send the person in circles."""
        wanted = visitor.transfer
        if wanted is None:
            return redirect("/ledger", 303)
        try:
            challenge = self._ledger.transfer(visitor, wanted)
        except Refused as refused:
            if refused.error != "ledger_refused":
                raise
            visitor.transfer, visitor.wrong = None, refused.description
            return redirect("/ledger", 303)
        if challenge is None:
            visitor.transfer = visitor.typed = None
            visitor.notice = f"{wanted['amount']} € are on their way to {wanted['payee']}."
            return redirect("/ledger", 303)
        if not follow:
            raise Refused("ledger_insists", challenge.description, "ledger")
        return redirect(self._sign_in.begin(visitor, "ledger", challenge.wish), 303)

    def sign_out(self) -> Response:
        """Forget the person here, and have the provider do so too where it can."""
        elsewhere = self._sign_in.sign_out_url(self._visitors.current().signed_in)
        self._visitors.renew(Visitor(notice="You are signed out of the shop."))
        return redirect(elsewhere or "/", 303)

    def signed_out(self) -> Response:
        """Back from the provider's own sign-out."""
        self._visitors.current().notice = "You are signed out."
        return redirect("/", 303)

    def told_to_sign_out(self) -> tuple[dict[str, str], int]:
        """The provider itself calls: a session is over, wherever it was ended."""
        try:
            told = self._sign_out.read(request.form)
        except Untrue as untrue:
            # Back-Channel Logout 1.0 section 2.8.
            return {"error": "invalid_request", "error_description": str(untrue)}, 400
        self._visitors.end(sid=told.sid, sub=told.sub, at=told.at)
        return {}, 200

    def went_wrong(self, refused: Refused) -> tuple[str, int]:
        """Whatever it was, said calmly."""
        if refused.error == "not_signed_in":
            self._visitors.current().signed_in = None
        known = self._visitors.current().signed_in is not None
        heading, text = wrong(refused.error, refused.purpose, signed_in=known)
        page = self._page(
            "problem.html",
            heading=heading,
            text=text,
            refused=refused,
            account_url=self._account_url,
        )
        return page, 503 if refused.error in _AWAY else 400

    def _known(self) -> Visitor:
        visitor = self._visitors.current()
        if visitor.signed_in is None:
            raise Refused("not_signed_in")
        return visitor

    def _page(self, template: str, **context: Any) -> str:
        visitor = self._visitors.current()
        notice, visitor.notice = visitor.notice, None
        return render_template(template, person=visitor.signed_in, notice=notice, **context)


def _order(visitor: Visitor) -> Order:
    return Order(visitor.order, WARES[1])


def create_app(
    config: Config,
    *,
    clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
) -> Flask:
    """The shop as a WSGI application. It remembers people in this process only."""
    app = Flask(__name__, root_path=str(HERE))
    app.secret_key = secrets.token_bytes(32)
    # Cookies know no ports: the provider on the same host has its own under other names.
    app.config["SESSION_COOKIE_NAME"] = "lampwright"
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = config.url.startswith("https://")
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    shop = Shop(app, config, clock)
    app.get("/")(shop.home)
    app.get("/callback")(shop.callback)
    app.get("/account")(shop.account)
    app.get("/order")(shop.order)
    app.get("/ledger")(shop.ledger)
    app.get("/signed-out")(shop.signed_out)
    app.get("/healthz")(lambda: {"status": "ok"})
    app.post("/sign-in")(shop.begin)
    app.post("/step-up/<kind>")(shop.step_up)
    app.post("/order/confirm")(shop.confirm)
    app.post("/ledger/transfer")(shop.transfer)
    app.post("/sign-out")(shop.sign_out)
    app.post("/backchannel-logout")(shop.told_to_sign_out)
    app.register_error_handler(Refused, shop.went_wrong)
    _guard(app, config)
    _speak(app, clock)
    return app


def _guard(app: Flask, config: Config) -> None:
    # form-action: a form here is answered with a redirect to the provider.
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {config.issuer}"
    )

    @app.before_request
    def from_here() -> None:
        if request.method == "POST" and request.headers.get("Origin", config.url) != config.url:
            abort(403)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response


def _speak(app: Flask, clock: Callable[[], float]) -> None:
    app.jinja_env.filters["acr"] = acr_in_words
    app.jinja_env.filters["amr"] = amr_in_words
    app.jinja_env.filters["ago"] = lambda time: ago(clock() - time)
    app.jinja_env.filters["clock_time"] = clock_time
    app.jinja_env.filters["as_text"] = as_text


class Quiet(WSGIRequestHandler):
    """Writes no log of requests: their addresses hold authorization codes."""

    def log_request(self, *_: object) -> None:
        pass


def from_environment(environ: Mapping[str, str]) -> Flask:
    """The shop as the environment says."""
    return create_app(Config.read(environ))


def main(environ: Mapping[str, str] = os.environ) -> None:
    """Serve until stopped."""
    app = from_environment(environ)
    host, port = environ.get("HOST", "127.0.0.1"), int(environ.get("PORT", "9000"))
    make_server(host, port, app, threaded=True, request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    main()
