"""Counts of networks in Redis or Valkey, where there is one: a row less that everybody locks.

Only what may be lost is here. What is counted against an account stays in the database, so that
whoever empties this, or takes it away, earns not one guess more at anybody's password; what a
network may do begins anew. Nothing else is ever kept here: no session, no revocation, and no mark
of what works once. Imported only where ``redis_url`` is set.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from idp import measures
from idp.services.counters import Bucket

PATIENCE: Final = 0.25
"""Seconds for an answer: it is there to make things quicker."""
APART: Final = 5.0
"""Seconds without another try, once it has not answered: meanwhile the database counts."""
PREFIX: Final = "{idp}:count:"
"""In braces, so that all of them are on one node of a cluster, which a script asks for."""

_COUNT: Final = """
local now, answer = tonumber(ARGV[1]), {}
for place, key in ipairs(KEYS) do
  local window = tonumber(ARGV[place + 1])
  local ends = tonumber(redis.call('HGET', key, 'ends') or '0')
  if ends <= now then
    ends = now + window
    redis.call('HSET', key, 'n', 0, 'since', ARGV[1], 'ends', string.format('%.0f', ends))
    redis.call('PEXPIRE', key, window)
  end
  answer[#answer + 1] = redis.call('HINCRBY', key, 'n', 1)
  answer[#answer + 1] = string.format('%.0f', ends)
end
return answer
"""
"""One more each, or the first of a new window: as the database does it, in one step."""

_SUBTRACT: Final = """
for _, key in ipairs(KEYS) do
  local since = redis.call('HGET', key, 'since')
  local n = tonumber(redis.call('HGET', key, 'n') or '0')
  if since and n > 0 and tonumber(since) <= tonumber(ARGV[1]) then
    redis.call('HINCRBY', key, 'n', -1)
  end
end
"""


class QuickCounts:
    """At ``redis_url``; nothing is connected to before the first count."""

    def __init__(self, url: str, *, apart: float = APART) -> None:
        store = _client(url)
        self._count = store.register_script(_COUNT)
        self._subtract = store.register_script(_SUBTRACT)
        self._apart = apart
        self._again_at = 0.0

    def count(
        self, buckets: Sequence[Bucket], now: datetime
    ) -> Mapping[str, tuple[int, datetime]] | None:
        """Add one to each: the counts and when their windows end. None: count them elsewhere."""
        keys = [f"{PREFIX}{one.key}" for one in buckets]
        windows = [_milliseconds(one.window) for one in buckets]
        answer = self._asked(self._count, keys, [_since_epoch(now), *windows])
        if answer is None:
            return None
        counts, ends = map(int, answer[0::2]), map(int, answer[1::2])
        return {
            one.key: (count, datetime.fromtimestamp(end / 1000, UTC))
            for one, count, end in zip(buckets, counts, ends, strict=True)
        }

    def subtract(self, keys: Iterable[str], counted_at: datetime) -> None:
        """Take one off each that is still in the window in which it was counted, and is here."""
        wanted = [f"{PREFIX}{key}" for key in keys]
        if wanted:
            self._asked(self._subtract, wanted, [_since_epoch(counted_at)])

    def _asked(self, script: Script, keys: Sequence[str], args: Sequence[int]) -> Any:
        if monotonic() < self._again_at:
            return None
        try:
            return script(keys=keys, args=args) or ()
        except RedisError as error:
            self._again_at = monotonic() + self._apart
            measures.turned_away("redis")
            # Never the error's own words: they may hold the address, with its password.
            _log.warning("Redis does not answer (%s): the database counts", type(error).__name__)
            return None


_log = logging.getLogger(__name__)


def _since_epoch(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _milliseconds(window: timedelta) -> int:
    return int(window.total_seconds() * 1000)


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 1),  # a connection that was closed meanwhile is made anew
    )


def answers(url: str) -> bool:
    """Does it, just now?"""
    with _client(url) as client, suppress(RedisError):
        return bool(client.ping())
    return False
