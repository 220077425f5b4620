"""What the demo is made of: its settings, keys, people and clients, in a folder of its own."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlsplit

from idp import migrate
from idp.cli.demo_people import PASSWORD, PEOPLE
from idp.cli.files import new_key, to_toml, write_private
from idp.cli.place import composed, context
from idp.config import Settings, load_settings
from idp.config.settings import LOGIN_STYLES
from idp.oidc.capabilities import capabilities_of
from idp.secrecy import private_folder
from idp.services.client_apply import apply_client_files
from idp.services.client_files import ClientFile, read_client_file
from idp.services.client_rules import ClientRules
from idp.web.services import Services

HOST: Final = "127.0.0.1"
PORT: Final = 8000
_SECRET_BYTES: Final = 48
"""64 characters: enough for whatever a client may sign by."""


@dataclass(frozen=True, slots=True)
class Application:
    """A relying party of the demo; ``port`` is None for one that is only registered."""

    name: str
    title: str
    folder: Path
    file: ClientFile
    port: int | None

    @property
    def url(self) -> str:
        """Where it is looked at."""
        return f"http://localhost:{self.port}"

    @property
    def client_id(self) -> str:
        """As it is registered."""
        return str(self.file.members["client_id"])


@dataclass(frozen=True, slots=True)
class Site:
    """The demo's folder, apart from whatever else is in the working directory.

    ``offset`` is added to every port, so that there may be two of it on one machine.
    """

    folder: Path
    offset: int = 0
    login_style: str = LOGIN_STYLES[0]

    @property
    def port(self) -> int:
        """The provider's."""
        return PORT + self.offset

    @property
    def issuer(self) -> str:
        """The provider's address."""
        return f"http://localhost:{self.port}"

    def applications_in(self, folder: Path) -> tuple[Application, ...]:
        """Those that have a registration there, by name."""
        return tuple(self._application(file) for file in sorted(folder.glob("*/client.toml")))

    def _application(self, path: Path) -> Application:
        file = read_client_file(path)
        members: Mapping[str, Any] = file.members
        port = urlsplit(str(members.get("client_uri", ""))).port
        runs = port is not None and (path.parent / "app.py").is_file()
        return Application(
            name=path.parent.name,
            title=str(members.get("client_name", path.parent.name)),
            folder=path.parent,
            file=file,
            port=port + self.offset if port and runs else None,
        )

    @property
    def config(self) -> Path:
        """The settings: ``idp --config`` takes them, too."""
        return self.folder / "idp.toml"

    def secret_file(self, application: Application) -> Path:
        """Where its client secret lies: made here, for nothing is written beside its code.

        One that was put there counts, as it does for `idp clients apply`.
        """
        named = application.file.members.get("client_secret", {}).get("file")
        beside = application.folder / str(named)
        return beside if named and beside.is_file() else self.folder / f"{application.name}.secret"

    def clear(self) -> None:
        """Begin afresh."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self, applications: Sequence[Application]) -> None:
        """Make what is not there yet: settings, tables, keys, people, clients."""
        settings = self._settings()
        migrate.upgrade(settings.database_url)
        with composed(settings) as services:
            services.key_rotation.prepare(context())
            _make_people(services)
            self._register(services, applications)

    def _settings(self) -> Settings:
        private_folder(self.folder)
        self.folder.chmod(0o700)  # it may have been made by a version that let others in
        keys = self.folder / "idp.keys"
        if not keys.exists():
            write_private(keys, f"{new_key()}\n")
        values: Mapping[str, str | bool] = {
            "issuer": self.issuer,
            "database_url": f"sqlite:///{self.folder / 'idp.sqlite3'}",
            "keys_file": keys.name,
            "mail_url": (self.folder / "mail").as_uri(),
            "login_style": self.login_style,
            "demo": True,
        }
        write_private(self.config, to_toml(values))
        return load_settings(self.config, {})

    def _register(self, services: Services, applications: Sequence[Application]) -> None:
        settings = services.settings
        rules = ClientRules(settings, capabilities_of(settings), ways=services.factors.values())
        files = [self._as_it_runs_here(one) for one in applications]
        apply_client_files(files, rules, services.client_secrets, context(), environ={})

    def _as_it_runs_here(self, application: Application) -> ClientFile:
        members = dict(application.file.members)
        if application.port:
            members |= {
                name: _at_port(application.port, members[name])
                for name in _ADDRESSES & members.keys()
            }
        if "client_secret" in members:
            members["client_secret"] = {"file": str(self._secret_made(application))}
        return ClientFile(application.file.path, members)

    def _secret_made(self, application: Application) -> Path:
        """The file, with a secret in it: one that was lost is replaced in the registration, too."""
        file = self.secret_file(application)
        if not file.exists():
            write_private(file, f"{token_urlsafe(_SECRET_BYTES)}\n")
        return file


_ADDRESSES: Final = frozenset(
    {"client_uri", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri"}
)
"""The members of a demo application that are addresses of its own."""


def _at_port(port: int, value: Any) -> Any:
    """An address, or each of a list, on the port that the application has here."""
    if isinstance(value, list):
        return [_at_port(port, one) for one in value]
    address = urlsplit(value)
    return address._replace(netloc=f"{address.hostname}:{port}").geturl()


def _make_people(services: Services) -> None:
    for person in PEOPLE:
        if services.accounts.find_by_login(person["email"]) is None:
            services.accounts.create(person, context(), password=PASSWORD)
