"""Backup and restore: what was used or ended since the backup stays worthless.

Mutation: a restore without ``idp restore-epoch``, which is the control here, and lets all of it in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.clock import system_clock
from idp.models import OutboxMessage, db
from tests.cli.command import Command
from tests.failures.artefacts import LASTING, ONCE, Thing
from tests.failures.backups import back_up, restored
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.house import ISSUER, House
from tests.helpers.sign_in import totp
from tests.web.walking import event_names, housed, newcomer, tokens_of

SETTINGS = {"refresh_grace": 0, "code_lifetime": 300}


@dataclass(frozen=True)
class Backup:
    """A backup, what was made before it, and what was used, or ended, after it."""

    databases: Databases
    kind: Kind
    file: Path
    clock: FakeClock
    things: list[Thing]

    @contextmanager
    def restored(self) -> Iterator[tuple[str, House]]:
        with (
            restored(self.databases, self.kind, self.file) as url,
            housed(url, self.clock, **SETTINGS) as house,
        ):
            yield url, house


@pytest.fixture(scope="module", params=KINDS)
def backup(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backup]:
    clock, file = FakeClock(system_clock()), tmp_path_factory.mktemp("backup") / "backup"
    with databases.fresh(request.param) as url, housed(url, clock, **SETTINGS) as house:
        once, lasting = [make(house) for make in ONCE], [make(house) for make in LASTING]
        back_up(url, file)
        for thing in (*once, *lasting):
            assert thing.use(house), f"{thing.name} is worth something"
        for thing in once:
            assert not thing.use(house), f"{thing.name} once"
        yield Backup(databases, request.param, file, clock, [*once, *lasting])


def test_a_restore_alone_brings_it_all_back(backup: Backup) -> None:
    with backup.restored() as (_, house):
        assert [thing.name for thing in backup.things if not thing.use(house)] == []


def epoch(url: str, *options: str) -> dict[str, int]:
    """What ``idp restore-epoch`` says that it ended."""
    ended: dict[str, int] = Command.over(url, IDP_ISSUER=ISSUER).json("restore-epoch", *options)[
        "ended"
    ]
    return ended


def test_with_a_new_epoch_none_of_it_is_worth_anything(backup: Backup) -> None:
    with backup.restored() as (url, house):
        ended = epoch(url)
        assert {"sessions", "grants", "single-use values"} <= {k for k, n in ended.items() if n}
        assert not any(epoch(url).values()), "a second run finds nothing left"
        assert [thing.name for thing in backup.things if thing.use(house)] == []


def test_recovery_codes_may_be_left_as_they_were(backup: Backup) -> None:
    with backup.restored() as (url, house):
        assert epoch(url, "--keep-recovery-codes")["recovery codes"] == 0
        alive = [thing.name for thing in backup.things if thing.use(house)]
        assert alive == ["recovery_code"]


def test_everybody_signs_in_anew_and_it_is_on_record(backup: Backup) -> None:
    with backup.restored() as (url, house):
        ended = epoch(url)
        alice, shop = newcomer(house), house.client(consent="never")
        seed = house.totp(alice)
        assert event_names(house, event="data.restored") == ["data.restored"]
        assert len(event_names(house, event="session.ended", at_most=500)) == ended["sessions"]
        house.clock.advance(minutes=2)
        answers = {"totp": totp(seed, house.clock)}
        assert tokens_of(house.browser(), shop, alice, answers=answers).claims["sub"] == alice.id


def test_clients_are_told_and_mails_are_not_sent_twice(
    databases: Databases, tmp_path: Path
) -> None:
    clock, file = FakeClock(system_clock()), tmp_path / "backup"
    with databases.fresh("sqlite") as url, housed(url, clock) as house:
        member = {"backchannel_logout_uri": "https://shop.example/out"}
        alice = newcomer(house)
        tokens_of(house.browser(), house.client(consent="never", **member), alice)
        house.do(lambda services: services.password_reset.request(alice.email, house.context))
        back_up(url, file)
    with restored(databases, "sqlite", file) as url, housed(url, clock) as house:
        assert epoch(url)["mails"] == 1
        with house.app.app_context():
            kinds = select(OutboxMessage.kind).where(OutboxMessage.failed_at.is_(None))
            assert list(db.session.scalars(kinds)) == ["logout.notice"]
