"""An operation as the authentication page shows it."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency
from flask_babel import get_locale
from flask_babel import gettext as _

from idp.oidc.asked import Asked
from idp.protocol.operations import Amount, Operation

_UNMISTAKABLE = frozenset("€₹₺₴")
"""Signs of one currency each."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of what is to be confirmed."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class OperationView:
    """What ``login/confirm.html`` shows; ``says`` is the relying party's own, and marked so."""

    title: str
    amount: str | None
    rows: tuple[Row, ...]
    says: str | None
    button: str | None


def operation_view(asked: Asked | None) -> OperationView | None:
    """All of the operation that a request wants confirmed: what is signed is what was shown."""
    if asked is None or asked.operation is None:
        return None
    operation = asked.operation
    amount = _money(operation.amount) if operation.amount else None
    return OperationView(
        title=operation.title,
        amount=amount,
        rows=_rows(operation),
        says=operation.message,
        button=str(_("Confirm and pay %(amount)s", amount=amount) if amount else _("Confirm")),
    )


def _rows(operation: Operation) -> tuple[Row, ...]:
    payee = (Row(str(_("To")), operation.payee),) if operation.payee else ()
    fields = tuple(Row(label, value) for label, value in operation.fields)
    return (*payee, *fields, Row(str(_("Reference")), operation.id))


def _money(amount: Amount) -> str:
    """The amount with every digit that was sent: rounding would show something else."""
    shown = format_currency(
        Decimal(amount.value),
        amount.currency,
        locale=get_locale() or "en",
        decimal_quantization=False,
    )
    if amount.currency in shown or not _UNMISTAKABLE.isdisjoint(shown):
        return shown
    # "$" is many currencies; the code leaves no doubt which of them.
    return f"{shown} ({amount.currency})"
