"""The system's Chromium, driven by Playwright, with authenticators that Chromium emulates."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Page, expect, sync_playwright

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
PATIENCE = 30_000
"""Milliseconds for something to appear, as long as for a page: how fast a machine is, is measured
elsewhere."""
expect.set_options(timeout=PATIENCE)
Transport = Literal["internal", "usb", "nfc", "ble", "hybrid"]


def executable() -> str:
    """Chromium's path. Raises ``FileNotFoundError`` where none is installed."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("Chromium is not installed: run .ci/system-packages")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Contexts made from it share nothing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), headless=True)
        try:
            yield browser
        finally:
            browser.close()


class Problems(list[str]):
    """What a page should never show: uncaught exceptions and what its own CSP refused."""

    def watch(self, page: Page) -> Self:
        page.on("pageerror", lambda error: self.append(f"uncaught: {error}"))
        page.on("console", self._console)
        return self

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.append(message.text)


@dataclass(frozen=True, kw_only=True)
class VirtualCredential:
    """A passkey that a virtual authenticator holds."""

    credential_id: str
    """Standard base64, as the DevTools protocol gives it."""
    rp_id: str
    resident: bool
    sign_count: int
    user_handle: str
    backup_eligible: bool
    backed_up: bool


class VirtualAuthenticator:
    """Plugged into a page's browser tab; make it before the page navigates.

    Once ``automatic_presence`` is on, an autofill request is answered at once, before any click.
    """

    def __init__(
        self,
        page: Page,
        *,
        user_verification: bool = True,
        user_verified: bool = True,
        resident_key: bool = True,
        backup_eligible: bool = True,
        backup_state: bool = True,
        transport: Transport = "internal",
        automatic_presence: bool = True,
    ) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": transport,
            "hasResidentKey": resident_key,
            "hasUserVerification": user_verification,
            "isUserVerified": user_verified,
            "automaticPresenceSimulation": automatic_presence,
            "defaultBackupEligibility": backup_eligible,
            "defaultBackupState": backup_state,
        }
        self.id = str(self._call("addVirtualAuthenticator", options=options)["authenticatorId"])

    def _call(self, method: str, **arguments: object) -> dict[str, Any]:
        answer = self._session.send(f"WebAuthn.{method}", arguments)
        return dict(answer or {})

    def _own(self, method: str, **arguments: object) -> dict[str, Any]:
        return self._call(method, authenticatorId=self.id, **arguments)

    def set_user_verified(self, verified: bool) -> None:
        """Does the person pass the fingerprint or PIN check from now on?"""
        self._own("setUserVerified", isUserVerified=verified)

    def set_automatic_presence(self, enabled: bool) -> None:
        """Does the person touch it by themselves? Holds for requests that begin after this."""
        self._own("setAutomaticPresenceSimulation", enabled=enabled)

    def credentials(self) -> list[VirtualCredential]:
        """The passkeys it holds."""
        return [_credential(found) for found in self._own("getCredentials")["credentials"]]

    def clear(self) -> None:
        """Forget every passkey."""
        self._own("clearCredentials")

    def remove(self) -> None:
        """Unplug it."""
        self._call("removeVirtualAuthenticator", authenticatorId=self.id)


def _credential(found: dict[str, Any]) -> VirtualCredential:
    return VirtualCredential(
        credential_id=found["credentialId"],
        rp_id=found.get("rpId", ""),
        resident=found["isResidentCredential"],
        sign_count=found["signCount"],
        user_handle=found.get("userHandle", ""),
        backup_eligible=found.get("backupEligibility", False),
        backed_up=found.get("backupState", False),
    )


def screenshot(page: Page, folder: Path, name: str) -> Path:
    """Save the whole page as ``<name>.png`` (what a file name cannot hold becomes ``-``)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.png"
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path
