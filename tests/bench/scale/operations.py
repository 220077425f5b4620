"""What is measured: each operation as rounds, every one of them by somebody else."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle, islice
from typing import Final

from tests.bench.operations import Round
from tests.bench.scale.crowd import Crowd
from tests.bench.wire import Http

STOCK: Final = 100
"""Access tokens, of as many people, that are shown again and again."""

Rounds = Callable[[Crowd, Http, int, int], Iterator[Round]]
"""From the crowd, a connection, the number of the driver and of rounds at most."""


def _sign_in(crowd: Crowd, http: Http, driver: int, _most: int) -> Iterator[Round]:
    for _, actor in crowd.actors(http, driver):
        yield actor.sign_in


def _authorize(crowd: Crowd, http: Http, driver: int, _most: int) -> Iterator[Round]:
    for _, actor in crowd.actors(http, driver):
        yield actor.authorize


def _redeem(crowd: Crowd, http: Http, driver: int, most: int) -> Iterator[Round]:
    some = [actor for _, actor in islice(crowd.actors(http, driver), most)]
    return iter([partial(actor.redeem, actor.authorize()) for actor in some])


def _refresh(crowd: Crowd, http: Http, driver: int, _most: int) -> Iterator[Round]:
    for number, actor in crowd.actors(http, driver):
        yield partial(crowd.refresh, actor, number)


def _userinfo(crowd: Crowd, http: Http, driver: int, most: int) -> Iterator[Round]:
    some = list(islice(crowd.actors(http, driver), min(STOCK, most)))
    return cycle([partial(one.userinfo, crowd.refresh(one, number)) for number, one in some])


def _introspect(crowd: Crowd, http: Http, driver: int, most: int) -> Iterator[Round]:
    some = list(islice(crowd.actors(http, driver), min(STOCK, most)))
    return cycle([partial(one.introspect, crowd.refresh(one, number)) for number, one in some])


OPERATIONS: Final[Mapping[str, Rounds]] = {
    "password sign-in, hash apart": _sign_in,
    "silent authorization": _authorize,
    "code redemption, ES256": _redeem,
    "refresh, ES256": _refresh,
    "userinfo": _userinfo,
    "introspection": _introspect,
}
