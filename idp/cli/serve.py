"""``idp serve``: the production server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_INET, SOCK_STREAM, getaddrinfo
from tempfile import TemporaryDirectory
from typing import Final

import click

from idp.cli.output import say
from idp.cli.place import Place, at_place, composed, context, insist_on_schema
from idp.cli.refusals import Refused, refusing
from idp.cli.server import Server, cannot_listen
from idp.config import Settings

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for it; said again in ``idp/exposition.py``, which costs to import."""
THREADS = 4
"""Requests that one worker works on at once: more would only wait for each other."""


def _number(_context: click.Context, _option: click.Parameter, host: str) -> str:
    """The IP address of that name, IPv4 where it has both: Granian looks no name up."""
    try:
        found = getaddrinfo(host, None, type=SOCK_STREAM)
    except (OSError, UnicodeError):
        told = f"{host!r} is no IP address (127.0.0.1, ::1, 0.0.0.0 for all), nor a name of one."
        raise click.BadParameter(told) from None
    return str(min(found, key=lambda one: one[0] != AF_INET)[4][0])


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=_number,
    help="The address to listen on, or its name.",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option(
    "--threads",
    default=THREADS,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Requests that one process works on at once.",
)
@at_place
def serve(place: Place, host: str, port: int, workers: int, threads: int) -> None:
    """Serve. SIGTERM, or Ctrl-C, ends it once the requests at hand are answered.

    SIGHUP replaces one worker after the other, so that changed settings count and no request is
    lost.

    Mail goes out, what has expired is removed and keys are rotated by the same processes. Put a
    proxy with TLS in front, and name it in trusted_proxies.
    """
    settings = place.settings()
    link = _prepare(settings)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if (why := cannot_listen(host, port)) is not None:
        raise Refused(f"{where} cannot be listened on: {why}.")
    lines = [f"Gatehouse answers at http://{where} for {settings.issuer}"]
    if link is not None:
        lines.append(f"Nobody administers it yet. Within an hour, once: {link}")
    server = Server(
        host,
        port,
        settings,
        workers=workers,
        threads=threads,
        announce=lambda: say("\n".join(lines)),
        read_anew=lambda: _tried_out(place),
    )
    with _figures_of_all(workers):
        server.run(settings.log_level)


@contextmanager
def _figures_of_all(workers: int) -> Iterator[None]:
    """Where the workers keep what they count, so that any can tell for all: in memory if it may.

    It is there before anything is counted: a reload may find that something is to be.
    """
    if workers == 1 or FOLDER in os.environ:
        yield
        return
    memory = "/dev/shm"  # noqa: S108  a new folder in it, for its owner only
    with TemporaryDirectory(
        prefix="idp-figures-", dir=memory if os.access(memory, os.W_OK) else None
    ) as folder:
        os.environ[FOLDER] = folder
        yield


def _tried_out(place: Place) -> Settings:
    """What the settings are by now. Raises ``Refused`` where workers could not begin with them.

    What a start does is done here as well: another database has a schema of its own, and a new key
    may have come in front. Leaves no connection behind either.
    """
    with refusing():
        settings = place.settings()
        insist_on_schema(settings)
        with composed(settings) as services:
            services.key_rotation.prepare(context())
    return settings


def _prepare(settings: Settings) -> str | None:
    """See that the schema fits and that every key opens; make the first keys where there are none.

    Leaves no connection behind, which the processes to come must not share. Returns the link that
    makes the first administrator, as long as there is none.
    """
    insist_on_schema(settings)
    with composed(settings) as services:
        services.key_rotation.prepare(context())
        return services.first_run.link(context())
