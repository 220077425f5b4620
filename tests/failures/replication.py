"""A primary and its standby: two servers, one streaming to the other."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from tests.helpers.ports import wait_until
from tests.helpers.postgres import PostgresCluster


class Standby(PostgresCluster):
    """A copy of another server that follows it."""

    def __init__(self, primary: PostgresCluster) -> None:
        self._primary = primary
        super().__init__()

    def _initdb(self) -> None:
        source = f"--host=127.0.0.1 --port={self._primary.port} --username=idp".split()
        how = ["--pgdata=data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        subprocess.run(
            [self._bin / "pg_basebackup", *source, *how],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_user,
        )

    def promote(self) -> None:
        """Let it take writes from now on."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")


@dataclass(frozen=True)
class Pair:
    """``url`` names both servers, and wants the one that takes writes."""

    primary: PostgresCluster
    standby: Standby

    def url(self, database: str) -> str:
        hosts = [f"host=127.0.0.1:{one.port}" for one in (self.primary, self.standby)]
        options = "&".join([*hosts, "target_session_attrs=read-write"])
        return f"postgresql+psycopg://idp@/{database}?{options}"

    def wait_for_each_other(self) -> None:
        """From now on a commit is one when the standby has it, too."""
        setting = "ALTER SYSTEM SET synchronous_standby_names = '*'"
        with psycopg.connect(self.primary.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(setting)
            connection.execute("SELECT pg_reload_conf()")
        wait_until(self._in_step, seconds=20, what="the standby")

    def _in_step(self) -> bool:
        found = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        with psycopg.connect(self.primary.conninfo("postgres")) as connection:
            return connection.execute(found).fetchone() == (1,)


@contextmanager
def replicated() -> Iterator[Pair]:
    """Both running, and removed at the end."""
    primary = PostgresCluster()
    try:
        primary.start()
        standby = Standby(primary)
        try:
            standby.start()
            pair = Pair(primary, standby)
            pair.wait_for_each_other()
            yield pair
        finally:
            standby.remove()
    finally:
        primary.remove()
