"""How often may be guessed. Each try is counted before it is judged, so races gain nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from idp.audit import Context
from idp.config import Settings
from idp.frozen import made_often
from idp.models import User
from idp.secrecy import digest
from idp.services import counters, repeated
from idp.services.addresses import LONGEST_ADDRESS, normalise_login
from idp.services.counters import Bucket
from idp.services.devices import Devices
from idp.services.networks import networks_of
from idp.services.tallies import Counted, Tallies

WINDOW = timedelta(minutes=15)
IN_A_ROW = 100
"""NIST SP 800-63B-4, 3.2.2: after so many failures without a success, no more are taken."""
IN_A_ROW_WINDOW = timedelta(days=365)
STEP_ATTEMPTS = 5
"""Wrong answers in a window for every factor but the password."""
AREA = 5
"""How many times what one address may do is allowed to all of its neighbourhood."""

MAIL_WINDOW = timedelta(hours=1)
"""Not longer than a mailed link lives: whoever is told to wait has one that still works."""
MAILS = 5
MAILS_FROM_NETWORK = 30
REGISTRATION_WINDOW = timedelta(hours=1)


@made_often
@dataclass(frozen=True, slots=True)
class Allowed:
    """The try has been counted: it may be judged, and has then to be reported on."""

    owner: str | None
    counted: Counted
    """Where it was counted."""
    personal: tuple[str, ...]
    """The account's counts, which a success empties; of the others it only takes this one back."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. ``closed``: nor later, from this browser, until the owner signs in another way."""

    retry_after: timedelta
    closed: bool = False

    @property
    def minutes(self) -> int:
        """How long, rounded up to whole minutes; at least one."""
        return max(1, -(-int(self.retry_after.total_seconds()) // 60))


class Throttle:
    """Counts tries in the database, for all processes; only ``reserve`` commits.

    The account is counted under one name, whether its e-mail address or its user name was typed,
    and a name that belongs to nobody is counted alike. A browser that has signed the person in
    before has counts of its own: neither other people's guesses nor its network's touch it.
    """

    def __init__(self, settings: Settings, devices: Devices) -> None:
        self._settings = settings
        self._devices = devices
        self._tallies = Tallies.of(settings)

    def reserve(
        self,
        *,
        method: str,
        user: User | None,
        login_name: str | None,
        device_token: str | None,
        context: Context,
    ) -> Allowed | Wait:
        """Count one try with ``method``, before it is judged. That is committed; of a try that has
        to wait, the rest is the caller's to commit.

        ``login_name``, as it was typed, counts where nobody is known by it. Then report
        ``succeeded`` or, for what was no guess, ``give_back``; a failure needs no report. A try
        that has to wait is audited here.
        """
        owner = _owner(user, login_name)
        device = self._devices.recognise(device_token, user.id, context.at) if user else None
        reserved = self._reserve(method, owner, device, context)
        if isinstance(reserved, Wait):
            # Alike for everybody: how long it takes must not tell who has an account.
            repeated.record(
                f"login.{method}.throttled",
                context,
                alike=(),
                user_id=user.id if user else None,
                closed=reserved.closed,
            )
        return reserved

    def _reserve(
        self, method: str, owner: str | None, device: str | None, context: Context
    ) -> Allowed | Wait:
        of_device: list[Bucket] = []
        if device is not None:
            of_device = self._personal(method, f"{owner}\0{device}")
            reserved = self._count(of_device, owner, context.at, commit=True)
            if isinstance(reserved, Allowed) or not reserved.closed:
                return reserved
        # A browser that was wrong a hundred times in a row is as good as unknown.
        personal = self._personal(method, owner) if owner else []
        shared = self._networks(context.address)
        buckets = [*personal, *shared]
        return self._count(buckets, owner, context.at, emptied=of_device, commit=True)

    def _personal(self, method: str, who: str) -> list[Bucket]:
        limit = self._settings.password_attempts if method == _PASSWORD else STEP_ATTEMPTS
        tries, in_a_row = _keys(method, who)
        return [
            Bucket(tries, limit, WINDOW),
            Bucket(in_a_row, IN_A_ROW, IN_A_ROW_WINDOW, closes=True),
        ]

    def _networks(self, address: str) -> list[Bucket]:
        return _around(address, "net", "any", self._settings.network_attempts, WINDOW)

    def reserve_mail(
        self, purpose: str, *, user: User | None, login_name: str | None, context: Context
    ) -> Allowed | Wait:
        """Count one mail that somebody asked us to send; it is not given back."""
        owner = _owner(user, login_name)
        buckets = [Bucket(_key("mail", purpose, owner), MAILS, MAIL_WINDOW)] if owner else []
        for network in networks_of(context.address)[:1]:
            key = _key("mails", "any", network)
            buckets.append(Bucket(key, MAILS_FROM_NETWORK, MAIL_WINDOW, personal=False))
        return self._count(buckets, owner, context.at)

    def reserve_registration(self, context: Context) -> Allowed | Wait:
        """Count one try to register an application without a token; it is not given back."""
        once = self._settings.client_registration_attempts
        buckets = _around(context.address, "register", "any", once, REGISTRATION_WINDOW)
        return self._count(buckets, None, context.at)

    def reserve_change(self, client_id: str, context: Context) -> Allowed | Wait:
        """Count one change of an application's own registration; it is not given back."""
        limit = self._settings.client_registration_attempts
        mine = Bucket(_key("change", "any", client_id), limit, REGISTRATION_WINDOW)
        return self._count([mine], None, context.at)

    def reserve_request(self, what: str, *, context: Context) -> Allowed | Wait:
        """Count one request that anybody could have sent and that is kept; it is not given back.

        By the network, and not by the client: else anybody could use up what is a client's.
        """
        once = self._settings.public_client_requests
        return self._count(_around(context.address, "ask", what, once, WINDOW), None, context.at)

    def reserve_guess(self, what: str, *, who: str, context: Context) -> Allowed | Wait:
        """Count one guess at something that belongs to nobody in particular, as ``reserve`` does.

        ``who`` is whoever guesses: a person or a browser. ``give_back`` what was no guess.
        """
        mine = Bucket(_key("try", what, who), STEP_ATTEMPTS, WINDOW)
        return self._count([mine, *self._networks(context.address)], None, context.at)

    def succeeded(self, allowed: Allowed, *, user_id: str | None = None) -> None:
        """The try was right: the account's counts begin anew, the network's lose this one.

        Any factor reopens the password, as the owner is evidently there. None but itself reopens
        another: whoever has stolen a password shall not earn tries at the second step with it.
        ``user_id`` is whom the proof names, where the form had not said who it was.
        """
        owner = user_id or allowed.owner
        emptied = {*allowed.personal, *(_keys(_PASSWORD, owner) if owner else ())}
        self._tallies.subtract(allowed.counted, allowed.at, emptied=frozenset(emptied))

    def give_back(self, allowed: Allowed) -> None:
        """The try was no guess: forget it."""
        self._tallies.subtract(allowed.counted, allowed.at)

    def _count(
        self,
        buckets: Sequence[Bucket],
        owner: str | None,
        now: datetime,
        *,
        emptied: Iterable[Bucket] = (),
        commit: bool = False,
    ) -> Allowed | Wait:
        """Count one in each, unless one is full. A success will empty ``emptied`` as well."""
        counted = self._tallies.count(buckets, now, commit=commit)
        full = [one for one in buckets if counted.counts[one.key][0] > one.limit]
        if not full:
            personal = [one.key for one in (*buckets, *emptied) if one.personal]
            return Allowed(owner, counted, tuple(personal), now)
        # What is not judged is no failure, or whoever keeps knocking would close the account.
        self._tallies.subtract(counted, now)
        ends = [counted.counts[one.key][1] - now for one in full if not one.closes]
        return Wait(max(ends, default=WINDOW), closed=any(one.closes for one in full))

    def reopen_password(self, user_id: str) -> None:
        """The owner has a new password: guesses at the old one no longer count."""
        counters.settle(none=_keys(_PASSWORD, user_id))


_PASSWORD = "password"  # noqa: S105 - a factor's name


def _around(address: str, kind: str, what: str, once: int, window: timedelta) -> list[Bucket]:
    """``once`` for the address in ``window``, and ``AREA`` times that for what is around it."""
    return [
        Bucket(key, once * times, window, personal=False)
        for key, times in zip(_around_keys(address, kind, what), (1, AREA), strict=False)
    ]


@lru_cache(4096)
def _around_keys(address: str, kind: str, what: str) -> tuple[str, ...]:
    return tuple(_key(kind, what, network) for network in networks_of(address))


def _owner(user: User | None, login_name: str | None) -> str | None:
    if user is not None or not login_name:
        return user.id if user else None
    return normalise_login(login_name) or ascii(login_name[:LONGEST_ADDRESS])


def _keys(method: str, who: str) -> tuple[str, str]:
    """Where somebody's tries are counted: those of a while, and those in a row."""
    mark = _mark(who)
    return f"try.{method}.{mark}", f"row.{method}.{mark}"


def _key(kind: str, method: str, subject: str) -> str:
    return f"{kind}.{method}.{_mark(subject)}"


def _mark(subject: str) -> str:
    # 132 bits of the digest: whoever reads the table finds no names that people mistyped.
    return digest(subject)[:22]


__all__ = ["Allowed", "Throttle", "Wait", "networks_of"]
