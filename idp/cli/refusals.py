"""What is refused, in one line: why, and what to do."""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final

import click
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, InterfaceError

from idp.config import ConfigurationError
from idp.protocol.registration import InvalidClientMetadata
from idp.secrecy import Unreadable
from idp.services.client_files import ClientFilesRefused
from idp.services.client_listing import ClientRefused
from idp.services.invalid import Invalid
from idp.services.key_rotation import CannotRetire
from idp.services.keys import KeysUnreadable
from idp.services.versions import Stale


class Refused(click.ClickException):
    """Ends the command with status 1 and its message as one line on stderr."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"idp: {' '.join(self.message.split())}", err=True, file=file)


@contextmanager
def refusing() -> Iterator[None]:
    """What the program refuses, or cannot do just now, is ``Refused`` in a sentence."""
    try:
        yield
    except _OUR_FAULT:
        raise
    except tuple(_SENTENCES) as error:
        raise Refused(sentence(error)) from error


class Guarded(click.Group):
    """A group that turns what the program refuses, or cannot do just now, into ``Refused``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with refusing():
                return super().invoke(ctx)
        except OSError as error:
            # Of a file: the disk is full, or nothing can be written, as in a container. A pipe that
            # was closed has no name, and is click's to deal with.
            if error.filename is None and error.errno not in _NO_ROOM:
                raise
            where = error.filename or "What there is to say cannot be written"
            raise Refused(f"{where}: {error.strerror}.") from error


_OUR_FAULT: Final = (IntegrityError, DataError)
"""Of what is a ``DatabaseError``: no deployment is to blame, and what tells most is the trace."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Wherever the output goes."""


def sentence(error: Exception) -> str:
    """What to tell of it: why, and what to do."""
    for kind, told in _SENTENCES.items():
        if isinstance(error, kind):
            return told(error)
    return str(error)


def _told(text: object) -> str:
    """As a sentence, whatever it came as."""
    sentence = str(text)
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _configuration(error: Any) -> str:
    return f"The settings cannot be used: {'; '.join(error.problems)}"


def _invalid(error: Invalid) -> str:
    return " ".join(f"{field}: {_told(text)}" for field, text in error.problems.items())


def _metadata(error: InvalidClientMetadata) -> str:
    return " ".join(f"{name} {_told(sentence)}" for name, sentence in error.problems)


def _problems(error: ClientFilesRefused) -> str:
    return " ".join(map(_told, error.problems))


def database_unusable(error: Exception) -> str:
    """What a database driver says, without the statement and without its parameters."""
    told = str(getattr(error, "orig", None) or error).strip()
    first = told.splitlines()[0] if told else type(error).__name__
    return f"The database cannot be used: {_told(first)} `idp doctor` looks into it."


_SENTENCES: Mapping[type[Exception], Callable[[Any], str]] = {
    ConfigurationError: _configuration,
    Invalid: _invalid,
    InvalidClientMetadata: _metadata,
    ClientFilesRefused: _problems,
    ClientRefused: str,
    CannotRetire: str,
    Stale: lambda _error: "Somebody else changed it just now, so nothing was done. Run it again.",
    KeysUnreadable: str,
    Unreadable: lambda error: f"{_told(error)} Put the old key back, after the new one.",
    DatabaseError: database_unusable,
    InterfaceError: database_unusable,
    ArgumentError: database_unusable,
}
