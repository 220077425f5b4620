"""Turns a letter from the outbox into a MIME message and hands it to the transport."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

from idp import measures
from idp.config import Settings
from idp.models.outbox import DECOY
from idp.services.mail import KIND, Letter
from idp.services.outbox import Delivery, Handler, Undeliverable
from idp.services.transports import Transport, transport_for


class Postman:
    """Delivers messages of kind ``mail``; a handler for the outbox."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._transport = transport
        name, self.sender = parseaddr(settings.sender)
        self._from = _address(self.sender, name or settings.site_name)
        self._host = urlsplit(settings.issuer).hostname or "localhost"

    def __call__(self, delivery: Delivery) -> None:
        """Send one. Raises ``Undeliverable`` when it will never arrive, anything else to retry."""
        letter = Letter(**delivery.payload)
        try:
            message = self.compose(letter, written=delivery.created_at)
        except ValueError as error:
            raise Undeliverable(str(error)) from error
        with measures.stage("mail"):
            self._transport.send(message, sender=self.sender, to=letter.to, number=delivery.id)

    def compose(self, letter: Letter, *, written: datetime) -> EmailMessage:
        """The message. A line end in a header raises ``ValueError`` (the standard library's)."""
        message = EmailMessage()
        message["From"] = self._from
        message["To"] = _address(letter.to)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(written)
        message["Message-ID"] = f"<{letter.id}@{self._host}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
        # Quoted-printable: seven bits, which every server takes.
        message.set_content(letter.text, cte="quoted-printable")
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
        return message


def _address(text: str, name: str = "") -> Address:
    local, _, domain = text.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


def mail_handlers(settings: Settings) -> dict[str, Handler]:
    """What an outbox needs to deliver mails, and to let decoys vanish."""
    return {KIND: Postman(settings, transport_for(settings)), DECOY: _vanish}


def _vanish(_decoy: Delivery) -> None:
    """Nobody was to be written to."""
