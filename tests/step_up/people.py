"""Somebody with an account at the issuer, and all that she can prove."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyotp

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.html import find_object
from tests.helpers.user_agent import Page

STEP = 30


@dataclass
class Totp:
    """An authenticator app. It waits rather than show a code that was used (RFC 6238, 5.2)."""

    seed: str
    now: Callable[[], int]
    wait: Callable[[float], None]
    last_step: int = 0

    def code(self) -> str:
        """A code that was not shown before; takes up to thirty seconds."""
        if self.now() // STEP <= self.last_step:
            self.wait((self.last_step + 1) * STEP - self.now())
        self.last_step = self.now() // STEP
        return pyotp.TOTP(self.seed).at(self.now())


@dataclass
class Person:
    """``has`` says in which ways she can prove who she is."""

    username: str
    password: str | None = None
    totp: Totp | None = None
    passkeys: SoftAuthenticator | None = None
    recovery_codes: list[str] = field(default_factory=list)
    mailed_code: Callable[[], str] | None = None
    """The code in the newest sign-in mail."""

    def secret(self, method: str) -> str:
        """What she types for ``method``."""
        return {
            "password": lambda: self.password or "",
            "totp": self._code,
            "recovery_code": lambda: self.recovery_codes.pop(0),
            "magic_link": self._mailed,
        }[method]()

    def _code(self) -> str:
        assert self.totp is not None, "she has no authenticator app"
        return self.totp.code()

    def _mailed(self) -> str:
        assert self.mailed_code is not None, "her mail cannot be read from here"
        return self.mailed_code()

    def authenticator(self) -> SoftAuthenticator:
        """What holds her passkeys."""
        assert self.passkeys is not None, "she has no passkey"
        return self.passkeys

    def assertion(self, page: Page, **knobs: Any) -> str:
        """What her authenticator makes of the WebAuthn options on ``page``, as JSON.

        ``knobs`` are those of ``get_assertion``, or of ``make_credential`` where the page asks
        for a new passkey.
        """
        options = find_object(page.document.data, "challenge")
        assert options is not None, f"no WebAuthn options on {page.url}"
        soft = self.authenticator()
        makes = "pubKeyCredParams" in options
        return json.dumps((soft.make_credential if makes else soft.get_assertion)(options, **knobs))
