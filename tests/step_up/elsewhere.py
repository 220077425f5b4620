"""Any issuer, described by a file: see README.md beside this one."""

import importlib.util
import time
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from idp.clock import epoch, system_clock
from tests.helpers import base64url
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.passkey import Algorithm, PrivateKey, SoftCredential
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import UserAgent
from tests.step_up.drive import FIELDS, WAYS, Drive
from tests.step_up.issuer import ROLES, Names
from tests.step_up.people import STEP, Person, Totp


class Elsewhere:
    """An issuer over the network. What its file does not have, cases that need it go without."""

    def __init__(self, file: Path) -> None:
        self._told: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        self._folder = file.parent
        self._open = ExitStack()
        self.url: str = self._told["issuer"].rstrip("/")
        self.pace: int = self._told.get("pace", 5)
        self.names = Names(**self._told.get("acr", {}))
        self.drive = self._drive()
        self._people = [self._read_person(each) for each in self._told.get("people", [])]

    def insist(self, *, second_step: bool) -> "Elsewhere":
        """Itself, if that is how it treats people who have a second step."""
        if self._told.get("asks_for_second_step", False) is not second_step:
            pytest.skip(f"for an issuer with asks_for_second_step = {str(second_step).lower()}")
        return self

    def close(self) -> None:
        """End what was opened."""
        self._open.close()

    def _drive(self) -> Drive:
        told: dict[str, Any] = dict(self._told.get("drive", {}))
        merged: dict[str, Any] = {
            "fields": {**FIELDS, **told.pop("fields", {})},
            "ways": {**WAYS, **told.pop("ways", {})},
            "go_on": tuple(told.pop("go_on", Drive.go_on)),
        }
        hook = self._module(told.pop("module", None))
        return Drive(**merged, **told, hook=getattr(hook, "answer", None))

    def _module(self, name: str | None) -> object:
        if name is None:
            return None
        spec = importlib.util.spec_from_file_location("drive_hook", self._folder / name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _read_person(self, told: Mapping[str, Any]) -> Person:
        person = Person(told["username"], told.get("password"))
        if "totp_seed" in told:
            # Somebody may have used the present code just now.
            step = self.now() // STEP
            person.totp = Totp(told["totp_seed"], self.now, self.wait, last_step=step)
        if "passkeys" in told:
            person.passkeys = self._authenticator(told["passkeys"])
        person.recovery_codes = list(told.get("recovery_codes", []))
        hook = self._module(self._told.get("drive", {}).get("module"))
        if mailed := getattr(hook, "mailed_code", None):
            person.mailed_code = lambda: str(mailed(person.username))
        return person

    def _authenticator(self, passkeys: list[Mapping[str, Any]]) -> SoftAuthenticator:
        soft = SoftAuthenticator(self.url)
        for told in passkeys:
            credential = read_passkey(told)
            soft.credentials[credential.id] = credential
        return soft

    def person(self, *has: str, besides: Person | None = None) -> Person:
        """The first in the file who has just these ways (the mailbox is nobody's business)."""
        wanted = {"password", *has} - {"magic_link", "recovery_code"}
        for person in self._people:
            if person is besides or not _may(person, has) or _ways(person) != wanted:
                continue
            return person
        pytest.skip(f"nobody in the file has just {sorted(wanted | set(has))}")

    def client(self, role: str = "plain") -> RelyingParty:
        """The client of that role in the file."""
        told = self._told.get("clients", {}).get(role)
        if told is None:
            pytest.skip(f"no client in the file of which is true: {ROLES[role]}")
        http = self._open.enter_context(httpx.Client(timeout=30, trust_env=False))
        return RelyingParty(self.url, http=http, **told)

    def agent(self) -> UserAgent:
        """A browser with no cookies."""
        return self._open.enter_context(UserAgent(self.url))

    def wait(self, seconds: float) -> None:
        """Takes as long as it says."""
        time.sleep(max(0.0, seconds))

    def now(self) -> int:
        """By this machine's clock, which has to be right."""
        return epoch(system_clock())


def _ways(person: Person) -> set[str]:
    ways = {"password": person.password, "totp": person.totp, "passkey": person.passkeys}
    return {name for name, held in ways.items() if held}


def _may(person: Person, has: tuple[str, ...]) -> bool:
    mail = "magic_link" not in has or person.mailed_code is not None
    return mail and ("recovery_code" not in has or bool(person.recovery_codes))


def read_passkey(told: Mapping[str, Any]) -> SoftCredential:
    """A passkey as the file has it: base64url texts and a PEM key."""
    key = load_pem_private_key(told["private_key"].encode(), password=None)
    algorithm: Algorithm = told.get("algorithm", "ES256")
    assert isinstance(key, PrivateKey), "a kind of key that no passkey has"
    return SoftCredential(
        id=base64url.decode(told["credential_id"]),
        rp_id=told["rp_id"],
        user_handle=base64url.decode(told["user_handle"]),
        algorithm=algorithm,
        key=key,
        backup_eligible=told.get("backup_eligible", True),
        counter=told.get("counter", 0),
    )
