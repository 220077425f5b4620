"""The demo's mailbox: what was mailed, for everybody at this machine to read. Demo mode only."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, url_for

from idp.web.answers import see_other
from idp.web.context import services

bp = Blueprint("demo", __name__, url_prefix="/demo")
SHOWN = 50


@bp.get("/mail")
def mail() -> Response:
    """The newest mails, newest first."""
    files = sorted(_folder().glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True)
    page = render_template(
        "demo/mail.html",
        mails=[_read(file) for file in files[:SHOWN]],
        clear=url_for("demo.clear"),
    )
    return make_response(page)


@bp.post("/mail/clear")
def clear() -> Response:
    """Empty the mailbox."""
    for file in _folder().glob("*.eml"):
        file.unlink(missing_ok=True)
    return see_other(url_for("demo.mail"))


def _folder() -> Path:
    return Path(urlsplit(services().settings.mail_url or "").path)


def _read(file: Path) -> dict[str, Any]:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return {
        "id": file.stem,
        "to": message["To"],
        "subject": message["Subject"],
        "at": message["Date"].datetime if message["Date"] else datetime.min.replace(tzinfo=UTC),
        "text": body.get_content() if body else "",
    }
