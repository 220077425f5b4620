"""A house with its doors open: the program in this process, for real browsers to come to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.ports import free_port
from tests.helpers.served import served


@contextmanager
def open_house(database_url: str, clock: FakeClock, **settings: Any) -> Iterator[House]:
    """Serve at ``house.settings.issuer``, on a port of its own, until the block ends."""
    port = free_port()
    house = House(database_url, clock, issuer=f"http://localhost:{port}", **settings)
    with served(house.app, port):
        yield house
