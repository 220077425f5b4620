"""Refusals that anybody can cause, as often as they like: on record, without filling the disk.

What is refused is refused, however often; only the rows get fewer. So nobody is locked out by what
others send, and whoever looks sees that it goes on, and how often.
"""

from datetime import timedelta
from typing import Any, Final

from idp import audit, measures
from idp.audit import Context
from idp.secrecy import digest
from idp.services import counters
from idp.services.counters import Bucket
from idp.services.networks import networks_of

WINDOW: Final = timedelta(minutes=15)
ALIKE: Final = 50
"""Rows in a window for the same refusal to the same network."""
FROM_NETWORK: Final = 200
AROUND: Final = 500
"""Of one kind, whatever else differs: from one network, and from all of its neighbourhood."""
EVERYWHERE: Final = 2000


def record(
    name: str,
    context: Context,
    *,
    alike: tuple[str, ...],
    most: int = ALIKE,
    **values: Any,
) -> None:
    """Count one refusal, and add it to the log unless there were many. Does not commit.

    ``alike`` is what makes two of them the same, of a bounded set: nothing that whoever is refused
    makes up; ``most`` are the rows for it. Of those beyond, each tenth power has a row, with
    ``times``. ``values`` are ``audit.record``'s.
    """
    buckets = _buckets(name, context.address, alike, most)
    counts = counters.count(buckets, context.at)
    times = next((counts[one.key][0] for one in buckets if counts[one.key][0] > one.limit), None)
    if times is None:
        audit.record(name, context, **values)
    elif _is_power_of_ten(times):
        audit.record(name, context, **values, times=times)
    else:
        measures.event(name)  # it happened all the same


def _buckets(name: str, address: str, alike: tuple[str, ...], most: int = ALIKE) -> list[Bucket]:
    """The widest first."""
    networks = networks_of(address) or ("nowhere",)
    wide = zip(networks, (FROM_NETWORK, AROUND), strict=False)
    return [
        _bucket(EVERYWHERE, name, "all"),
        *reversed([_bucket(limit, name, "network", network) for network, limit in wide]),
        _bucket(most, name, "alike", networks[0], *alike),
    ]


def _bucket(limit: int, *what: str) -> Bucket:
    told = digest("\0".join(what))[:22]
    return Bucket(f"told.{told}", limit, WINDOW, personal=False)


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"
