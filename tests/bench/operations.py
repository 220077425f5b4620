"""What is measured: each operation as rounds that one driver does one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat

from tests.bench.actor import Actor, Registration
from tests.helpers.dpop import Prover

Round = Callable[[], object]
Rounds = Callable[[Actor, int], Iterator[Round]]
"""From the actor, and how many rounds there will be at most, to the rounds; what they need is
made before the first of them."""


@dataclass(frozen=True)
class Operation:
    """``floor`` names what it cannot do without, ``hashes`` says whether argon2 is at full cost."""

    name: str
    rounds: Rounds
    requests: int = 1
    client: Registration = Registration()  # noqa: RUF009  frozen, so it may be shared
    floor: tuple[str, ...] = ()
    hashes: bool = False


def _fetch(path: str) -> Rounds:
    return lambda actor, _: repeat(partial(actor.get, path))


def _sign_in(actor: Actor, _: int) -> Iterator[Round]:
    actor.sign_in()  # consent is given once and remembered
    return repeat(actor.sign_in)


def _authorize(actor: Actor, _: int) -> Iterator[Round]:
    actor.sign_in(actor.jar)
    return repeat(actor.authorize)


def _silent_sign_in(actor: Actor, _: int) -> Iterator[Round]:
    actor.sign_in(actor.jar)

    def whole() -> None:
        actor.userinfo(actor.redeem(actor.authorize())["access_token"])

    return repeat(whole)


def _push(actor: Actor, _: int) -> Iterator[Round]:
    return repeat(actor.push)


def _redeem(actor: Actor, most: int) -> Iterator[Round]:
    actor.sign_in(actor.jar)
    codes = [actor.authorize() for _ in range(most)]
    return iter([partial(actor.redeem, code) for code in codes])


def _refreshing(actor: Actor, prover: Prover | None) -> Iterator[Round]:
    tokens = actor.redeem(actor.sign_in(actor.jar), prover)

    def rotate() -> None:
        tokens.update(actor.refresh(tokens["refresh_token"], prover))

    return repeat(rotate)


def _refresh(actor: Actor, _: int) -> Iterator[Round]:
    return _refreshing(actor, None)


def _refresh_with_proof(actor: Actor, _: int) -> Iterator[Round]:
    return _refreshing(actor, _prover(actor))


def _userinfo(actor: Actor, _: int) -> Iterator[Round]:
    token = actor.redeem(actor.sign_in(actor.jar))["access_token"]
    return repeat(partial(actor.userinfo, token))


def _prove(actor: Actor, _: int) -> Iterator[Round]:
    prover = _prover(actor)
    token = actor.redeem(actor.sign_in(actor.jar), prover)["access_token"]
    return repeat(partial(actor.prove_userinfo, token, prover))


def _prover(actor: Actor) -> Prover:
    return Prover(actor.client.issuer, actor.clock)


def _introspect(actor: Actor, _: int) -> Iterator[Round]:
    token = actor.redeem(actor.sign_in(actor.jar))["access_token"]
    return repeat(partial(actor.introspect, token))


_ES256 = Registration("ES256")
_OPAQUE = Registration(access_tokens="opaque")

# Access tokens are signed with ES256, whatever the ID tokens are signed with. The floor of DPoP
# has no client's signature in it: that is made by the driver, whose time is not the server's. What
# a process signed or verified it knows again, and needs no second look.
OPERATIONS = (
    Operation("nothing (/healthz)", _fetch("/healthz")),
    Operation("discovery", _fetch("/.well-known/openid-configuration")),
    Operation("JWKS", _fetch("/oauth/jwks")),
    Operation("password sign-in, hash apart", _sign_in, requests=3, floor=("commit", "commit")),
    Operation(
        "password sign-in",
        _sign_in,
        requests=3,
        floor=("argon2id", "commit", "commit"),
        hashes=True,
    ),
    Operation("silent authorization", _authorize, floor=("commit",)),
    Operation("pushed request", _push, floor=("commit",)),
    Operation("code redemption, RS256", _redeem, floor=("RS256", "ES256", "commit")),
    Operation("code redemption, ES256", _redeem, client=_ES256, floor=("ES256", "ES256", "commit")),
    Operation("userinfo", _userinfo),
    Operation("userinfo, opaque", _userinfo, client=_OPAQUE),
    Operation("userinfo, DPoP", _prove, floor=("ES256 verify", "commit")),
    Operation("introspection", _introspect),
    Operation("introspection, opaque", _introspect, client=_OPAQUE),
    Operation("refresh, RS256", _refresh, floor=("RS256", "ES256", "commit")),
    Operation(
        "refresh, RS256, DPoP",
        _refresh_with_proof,
        floor=("RS256", "ES256", "ES256 verify", "commit"),
    ),
    Operation(
        "silent sign-in (3 requests), ES256",
        _silent_sign_in,
        requests=3,
        client=_ES256,
        floor=("ES256", "ES256", "commit", "commit"),
    ),
)
