"""Runs the command as a shell would, without the shell."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from click.testing import CliRunner, Result

from idp.app import create_app
from idp.cli import main
from idp.config import Settings, load_settings
from idp.models import db
from idp.web.services import Services
from tests.helpers.servers import TEST_KEY

ISSUER = "https://id.example.com"
PASSWORD = "paper lanterns drift at noon"


class _Terminal(BytesIO):
    """A standard input at which somebody types, as far as a program can ask."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Command:
    """``environment`` is all the settings there are."""

    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def over(cls, database_url: str, **settings: str) -> "Command":
        """With what a start needs, and further ``IDP_…`` variables."""
        needed = {
            "IDP_ISSUER": ISSUER,
            "IDP_DATABASE_URL": database_url,
            "IDP_KEYS": TEST_KEY,
            # Hashing is not what is tested here.
            "IDP_ARGON2_MEMORY_KIB": "64",
            "IDP_ARGON2_TIME": "1",
        }
        return cls({**needed, **settings})

    def with_(self, **settings: str) -> "Command":
        """The same with further variables."""
        return Command({**self.environment, **settings})

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Result:
        """Run it, whatever comes of it; a bug still raises."""
        return self._run(arguments, BytesIO(stdin.encode() if isinstance(stdin, str) else stdin))

    def at_terminal(self, *arguments: str, typed: str) -> Result:
        """The same at a terminal, where somebody answers with these lines."""
        return self._run(arguments, _Terminal(typed.encode()))

    def _run(self, arguments: Sequence[str], stdin: BytesIO) -> Result:
        runner = CliRunner(env=dict(self.environment))
        result = runner.invoke(main, arguments, input=stdin, prog_name="idp")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def done(self, *arguments: str, stdin: str = "") -> str:
        """What it prints; it must succeed and have nothing to complain of."""
        result = self(*arguments, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """What it prints with ``--json``: a JSON document, and nothing else."""
        return json.loads(self.done(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: str, stdin: str | bytes = "") -> str:
        """The one line of a refusal."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 1, result.output
        (line,) = result.stderr.splitlines()
        assert line.startswith("idp: ")
        return line.removeprefix("idp: ")

    def misused(self, *arguments: str) -> str:
        """What is said to whoever calls it wrongly."""
        result = self(*arguments)
        assert result.exit_code == 2, result.output
        return result.stderr

    @property
    def settings(self) -> Settings:
        """As the command reads them."""
        return load_settings(environ=self.environment)

    @contextmanager
    def services(self) -> Iterator[Services]:
        """The program's parts over the same database."""
        app = create_app(self.settings)
        with app.app_context():
            try:
                yield app.extensions["idp"]
            finally:
                db.session.remove()
                db.engine.dispose()


def lines(text: str) -> list[list[str]]:
    """A table's rows, without the names, split at two blanks or more."""
    return [[cell for cell in line.split("  ") if cell.strip()] for line in text.splitlines()[1:]]
