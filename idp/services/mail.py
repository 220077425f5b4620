"""Mails: rendered where they are caused, and kept in the outbox in the same transaction."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.ext import InternationalizationExtension

from idp.config import Settings
from idp.factors.base import Mail
from idp.models import OutboxMessage, db, new_id
from idp.models.outbox import DECOY
from idp.resources import resource_dir
from idp.secrecy import Box

KIND = "mail"

_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it will be sent; ``subject`` is one line, ``user_id`` is for the audit log."""

    id: str
    """Becomes the Message-ID, the same at every attempt, so that a second copy can be told."""
    to: str
    subject: str
    text: str
    html: str
    template: str
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """How a mail speaks: gettext's two functions, and how an instant is written."""

    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]
    datetimeformat: Callable[[datetime, str], str]


def _written(instant: datetime, _size: str = "medium") -> str:
    utc = instant.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


ENGLISH = Words(lambda text: text, lambda one, many, n: one if n == 1 else many, _written)


class Mailer:
    """Renders ``templates/mail`` and puts the result into the outbox. Nothing here commits."""

    def __init__(self, settings: Settings, box: Box, *, words: Words = ENGLISH) -> None:
        self._settings = settings
        self._box = box
        self._templates = _environment(words)

    def url(self, path: str) -> str:
        """The absolute address of a page of ours: from the configured issuer, nothing else."""
        return f"{self._settings.issuer}{path}"

    def queue(
        self, mail: Mail, *, now: datetime, user_id: str | None = None, decoy: bool = False
    ) -> None:
        """Keep a mail for sending, sealed. A ``decoy`` is the same work and is never sent.

        Where no mail is sent at all, none is kept: it would be tried in vain until it is too old.
        """
        if not self._settings.mails:
            return
        letter = self.rendered(mail, user_id)
        db.session.add(
            OutboxMessage(
                kind=DECOY if decoy else KIND,
                recipient=letter.to,
                payload=self._box.seal(asdict(letter)),
                created_at=now,
                not_after=mail.not_after,
                next_attempt_at=now,
            )
        )

    def rendered(self, mail: Mail, user_id: str | None) -> Letter:
        """The mail as it would be sent; nothing is kept."""
        values = {"site": {"name": self._settings.site_name}, "locale": "en", **mail.values}
        subject, _, text = self._render(f"{mail.template}.txt", values).partition("\n")
        return Letter(
            id=new_id(),
            to=mail.to,
            subject=_SPACES.sub(" ", subject).strip(),
            text=text.strip() + "\n",
            html=self._render(f"{mail.template}.html", values),
            template=mail.template,
            user_id=user_id,
        )

    def _render(self, name: str, values: Mapping[str, Any]) -> str:
        return self._templates.get_template(f"mail/{name}").render(values).lstrip()


@cache
def _environment(words: Words) -> Environment:
    """The same for all who speak alike: it keeps what it has compiled."""
    environment = Environment(
        loader=FileSystemLoader(resource_dir("templates")),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        extensions=[InternationalizationExtension],
        auto_reload=False,
    )
    # Jinja adds this method to the environment when the extension is loaded; types do not see it.
    install = cast("Any", environment).install_gettext_callables
    install(words.gettext, words.ngettext, newstyle=True)
    environment.filters["datetimeformat"] = words.datetimeformat
    return environment
