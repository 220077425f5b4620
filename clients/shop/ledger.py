"""The ledger as the shop sees it, and what it says when a sign-in does not do (RFC 9470)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from memory import Visitor, Wish
from requests import Response
from sign_in import Refused, SignIn
from werkzeug.datastructures import WWWAuthenticate

INSUFFICIENT: Final = "insufficient_user_authentication"
MOST_PAYEE: Final = 100
"""Characters that the ledger takes."""
_EURO: Final = r"(?:€|eur|euros?)"
_AMOUNT: Final = re.compile(
    rf"(?:{_EURO}\s*)?0*([0-9]{{1,6}})(?:[.,]([0-9]{{1,2}}))?(?:\s*{_EURO})?", re.IGNORECASE
)


def read_amount(typed: str) -> str | None:
    """What somebody typed (``25``, ``25.5``, ``25,50 €``) as the ledger writes it: ``25.00``.

    None for nothing, and for what could be read in two ways, such as ``1,000``.
    """
    parts = _AMOUNT.fullmatch(typed.strip())
    amount = f"{int(parts[1])}.{(parts[2] or '').ljust(2, '0')}" if parts else "0.00"
    return None if amount == "0.00" else amount


def wrong_with(payee: str, amount: str, balance: str) -> dict[str, str]:
    """What is wrong with a transfer as it was typed, by field; ``balance`` as the ledger writes it.

    The ledger judges for itself: this is for not having to prove anything in vain.
    """
    wrong = {}
    if not 0 < len(payee) <= MOST_PAYEE:
        wrong["payee"] = f"Enter who the money is for, in {MOST_PAYEE} characters at most."
    read = read_amount(amount)
    if read is None:
        wrong["amount"] = "Enter an amount as in 25, 25.50 or 25,50."
    elif Decimal(read) > Decimal(balance):
        wrong["amount"] = f"That is more than you have. Enter {balance} or less."
    return wrong


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the API wants of the sign-in behind the next token, and why."""

    wish: Wish
    description: str


def read_challenge(status: int, headers: Mapping[str, str]) -> Challenge | None:
    """The step-up that a response asks for; None when it asks for none.

    ``acr_values`` and ``max_age`` go into an authorization request as they are (section 4).
    """
    sent = WWWAuthenticate.from_header(headers.get("WWW-Authenticate"))
    if status != 401 or sent is None or sent.type != "bearer":
        return None
    if sent.parameters.get("error") != INSUFFICIENT:
        return None
    max_age = sent.parameters.get("max_age") or ""
    wish = Wish(
        acr_values=tuple((sent.parameters.get("acr_values") or "").split()),
        max_age=int(max_age) if re.fullmatch("[0-9]{1,9}", max_age) else None,
    )
    return Challenge(wish, sent.parameters.get("error_description") or "")


class Ledger:
    """Calls the ledger at ``url`` for a visitor, with the visitor's access token."""

    def __init__(self, sign_in: SignIn, url: str) -> None:
        self._sign_in = sign_in
        self._url = url

    def balance(self, visitor: Visitor) -> str:
        """Euros, as in ``250.00``. Raises ``Refused``."""
        return str(self._read(self._call(visitor, "GET", "/balance"))["balance"])

    def transfer(self, visitor: Visitor, wanted: Mapping[str, str]) -> Challenge | None:
        """Move money, unless the ledger wants a better sign-in first. Raises ``Refused``."""
        answer = self._call(visitor, "POST", "/transfers", json=wanted)
        challenge = read_challenge(answer.status_code, answer.headers)
        if challenge is None:
            self._read(answer)
        return challenge

    def _call(self, visitor: Visitor, method: str, path: str, **request: Any) -> Response:
        return self._sign_in.call(visitor, method, f"{self._url}{path}", **request)

    @staticmethod
    def _read(answer: Response) -> dict[str, Any]:
        if answer.status_code == 401:
            raise Refused("not_signed_in", purpose="ledger")
        if answer.status_code >= 500:
            raise Refused("ledger_unreachable", purpose="ledger")
        told: dict[str, Any] = answer.json()
        if not answer.ok:
            raise Refused("ledger_refused", str(told.get("error", "")), "ledger")
        return told
