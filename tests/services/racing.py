"""N redemptions of one value at the same instant, over processes that share only the database."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from multiprocessing.queues import Queue
from typing import Literal

from sqlalchemy import select, update

from idp.audit import Context
from idp.config import Settings
from idp.models import Grant, db
from idp.models.base import release
from idp.oidc.client_auth.assertion import is_first_use
from idp.protocol.errors import OAuthError
from idp.secrecy import filed
from idp.services.binding import UNBOUND
from idp.services.device_polling import DevicePolling
from idp.services.dpop import Proof, Proofs
from idp.services.grants import Grants
from idp.services.refresh import Refreshing
from tests.helpers.processes import nodes
from tests.services.bare import bare_app
from tests.services.people import CALLBACK, VERIFIER, as_registered

What = Literal[
    "code", "refresh token", "device code", "jti", "proof", "code, queried and then saved"
]
Wait = Callable[[], object]

PROCESSES = 2
THREADS = 4


def race(
    settings: Settings, what: What, values: Sequence[str], now: datetime
) -> list[Counter[str]]:
    """Redeem each of ``values`` in all threads of all processes at once; how each attempt ended."""
    context = nodes()
    barrier = context.Barrier(PROCESSES * THREADS)
    queue: Queue[list[list[str]]] = context.Queue()
    racers = [
        context.Process(target=_process, args=(settings, what, values, now, barrier, queue))
        for _ in range(PROCESSES)
    ]
    for racer in racers:
        racer.start()
    ended = [outcomes for _ in racers for outcomes in queue.get(timeout=120)]
    for racer in racers:
        racer.join()
    return [Counter(outcomes) for outcomes in zip(*ended, strict=True)]


def _process(settings, what, values, now, barrier, queue):
    app = bare_app(settings.database_url)

    def wait() -> None:
        barrier.wait(timeout=60)

    def run(_number: int) -> list[str]:
        with app.app_context():
            return [_attempt(settings, what, value, now, wait) for value in values]

    with ThreadPoolExecutor(THREADS) as threads:
        queue.put(list(threads.map(run, range(THREADS))))


def _attempt(settings: Settings, what: What, value: str, now: datetime, wait: Wait) -> str:
    wait()
    try:
        bought = _REDEEM[what](settings, value, now, wait)
    except OAuthError as error:
        return error.error
    except Exception as error:
        return repr(error)
    finally:
        db.session.remove()
    return bought or "won"


def _code(settings: Settings, value: str, now: datetime, _wait: Wait) -> None:
    Grants(settings).redeem_code(
        value,
        client=as_registered("shop"),
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
        context=Context(at=now),
    )


def _refresh_token(settings: Settings, value: str, now: datetime, _wait: Wait) -> str | None:
    """It ends in the refresh token that is to be used next."""
    shop = as_registered("shop")
    redeemed = Refreshing(settings).redeem(value, client=shop, scope=None, context=Context(at=now))
    return redeemed.tokens.refresh


def _device_code(settings: Settings, value: str, now: datetime, _wait: Wait) -> None:
    polling, context = DevicePolling(Grants(settings)), Context(at=now)
    polling.redeem(
        value, client=as_registered("shop"), resource=(), context=context, binding=UNBOUND
    )


def _queried_and_then_saved(settings: Settings, value: str, now: datetime, wait: Wait) -> None:
    """What must not be: look, and afterwards write. The wait makes sure that all look first."""
    unused = (Grant.code_hash == filed(value)) & Grant.code_used_at.is_(None)
    found = db.session.scalar(select(Grant.id).where(unused))
    release()
    wait()
    if found is None:
        raise OAuthError("invalid_grant", "used")
    db.session.execute(update(Grant).where(Grant.id == found).values(code_used_at=now))
    db.session.commit()


def _jti(_settings: Settings, value: str, now: datetime, _wait: Wait) -> None:
    """As client authentication claims it, and whatever it lets in commits it."""
    if not is_first_use("shop", value, now + timedelta(minutes=1), now):
        db.session.rollback()
        raise OAuthError("invalid_client", "replayed")
    db.session.commit()


def _proof(settings: Settings, value: str, now: datetime, _wait: Wait) -> None:
    """As a grant or a resource uses a DPoP proof up."""
    Proofs(settings).spend(Proof(jkt="x" * 43, jti=value), now)
    db.session.commit()


_REDEEM: dict[What, Callable[[Settings, str, datetime, Wait], str | None]] = {
    "code": _code,
    "refresh token": _refresh_token,
    "jti": _jti,
    "proof": _proof,
    "device code": _device_code,
    "code, queried and then saved": _queried_and_then_saved,
}
