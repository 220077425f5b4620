"""A ledger with an HTTP API: looking takes a token, moving money takes a good sign-in.

``python app.py`` serves it. Everything it needs to know is in the environment; without, it is the
demo's. Nothing here is about Gatehouse: any issuer with RFC 9068 or RFC 7662 will do.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from access_tokens import AccessTokens
from accounts import Accounts, NotEnough, Transfer
from flask import Flask, g, request
from step_up import requires
from werkzeug.serving import WSGIRequestHandler, make_server

HERE: Final = Path(__file__).resolve().parent

STRONG: Final = ("phr", "urn:idp:acr:mfa")
RECENT: Final = 300
"""What moving money takes: a passkey, else two factors, within these seconds."""

_AMOUNT: Final = re.compile(r"([1-9][0-9]{0,5}|0)(?:[.,]([0-9]{1,2}))?")
"""As people type it. Three digits after a point or a comma could be thousands: refused."""


def create_app(verify: Callable[[str], Mapping[str, Any]]) -> Flask:
    """The API; ``verify`` reads an access token, as ``step_up.requires`` wants it."""
    app = Flask(__name__, root_path=str(HERE), static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    accounts = Accounts()

    @app.get("/")
    def about() -> dict[str, Any]:
        return {"ledger": {"GET /balance": "a token", "POST /transfers": [*STRONG, RECENT]}}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/balance")
    @requires(verify)
    def balance() -> dict[str, str]:
        return {"balance": _euros(accounts.balance(g.claims["sub"])), "currency": "EUR"}

    @app.post("/transfers")
    @requires(verify, acr_values=STRONG, max_age=RECENT)
    def transfer() -> tuple[dict[str, str], int]:
        wanted = _read_transfer(request.get_json(silent=True))
        if wanted is None:
            return {"error": "Say id, payee, and amount as in 12.50, 12,50 or 12."}, 400
        try:
            made, new = accounts.transfer(g.claims["sub"], wanted)
        except NotEnough:
            return {"error": "There is not enough on the account."}, 409
        told = {"id": made.id, "payee": made.payee, "amount": _euros(made.cents)}
        return told, 201 if new else 200

    return app


def _read_transfer(sent: object) -> Transfer | None:
    match sent:
        case {"id": str(id_), "payee": str(payee), "amount": str(amount)} if (
            0 < len(id_) <= 64 and 0 < len(payee) <= 100
        ):
            cents = _cents(amount)
            return Transfer(id_, payee, cents) if cents else None
    return None


def _cents(amount: str) -> int:
    """0 for what is no amount: nobody sends that."""
    parts = _AMOUNT.fullmatch(amount)
    return int(parts[1]) * 100 + int((parts[2] or "").ljust(2, "0")) if parts else 0


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def read_secret(environ: Mapping[str, str]) -> str:
    """The client secret, or the file it is in: ``idp clients apply`` writes that one."""
    if secret := environ.get("OIDC_CLIENT_SECRET"):
        return secret
    file = Path(environ.get("OIDC_CLIENT_SECRET_FILE", HERE / "client.secret"))
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        sys.exit(f"{file} cannot be read: `idp clients apply {HERE}/client.toml` writes it")


class Quiet(WSGIRequestHandler):
    """Does not write down every request."""

    def log_request(self, *_: object) -> None:
        pass


def from_environment(environ: Mapping[str, str]) -> Flask:
    """The ledger as the environment says."""
    address = "http://localhost:9001"
    verify = AccessTokens(
        environ.get("OIDC_ISSUER", "http://localhost:8000"),
        environ.get("LEDGER_AUDIENCE", address),
        client_id=environ.get("OIDC_CLIENT_ID", address),
        client_secret=read_secret(environ),
    )
    return create_app(verify)


def main(environ: Mapping[str, str] = os.environ) -> None:
    """Serve until stopped."""
    app = from_environment(environ)
    host, port = environ.get("HOST", "127.0.0.1"), int(environ.get("PORT", "9001"))
    server = make_server(host, port, app, threaded=True, request_handler=Quiet)
    server.serve_forever()


if __name__ == "__main__":
    main()
