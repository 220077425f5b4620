"""``python -m tests.failures.soak [--minutes 30]``: two nodes under load while everything breaks.

Two ``idp serve`` over a PostgreSQL primary and its standby; every minute the second is killed and
started anew, and half-way the primary dies and its standby takes over. Ends with 1 when something
was redeemed twice, a success was none, a token said an ``acr`` that was not earned, a client did
not get through in the end, or the first node, which lives through all of it, grew.
"""

import argparse
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import TypeVar

import httpx
from sqlalchemy import func, select

from idp.clock import system_clock
from idp.migrate import upgrade
from idp.models import Grant, RefreshToken, db
from tests.failures.artefacts import REFRESHING, Remote, as_there, at
from tests.failures.memory import Memory
from tests.failures.replication import Pair, replicated
from tests.helpers.clock import FakeClock
from tests.helpers.house import CHEAP, ISSUER, House, Person
from tests.helpers.relying_party import RelyingParty, TokenRefused
from tests.helpers.servers import Server, serve
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.walking import enter, housed, newcomer

PATIENCE = 60.0
"""Seconds in which a client that tries again has to get through."""
PAUSE = 0.2
"""Seconds between two rounds of one client: two cores are to be had, and not only for this."""
MORE = {"id_token": {"acr": {"essential": True, "value": "urn:idp:acr:mfa"}}}
T = TypeVar("T")


class Unavailable(Exception):
    """No answer, or a 503: to be tried again."""


@dataclass
class Record:
    """What happened. ``wrong`` is what never may."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def insist(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


@dataclass(frozen=True)
class Client:
    """One person with one application, who signs in over and over at whichever node answers."""

    nodes: list[Remote]
    shop: RelyingParty
    person: Person
    record: Record
    over: Event

    def run(self) -> None:
        """Until it is over."""
        while not self.over.is_set():
            try:
                self.round()
            except Exception as error:
                self.record.wrong.append(f"a round ended in {error!r}")
            self.over.wait(PAUSE)

    def round(self) -> None:
        """Sign in, redeem the code at both nodes at once, use, refresh, revoke."""
        tokens = self.patiently(self.signed_in)
        self.record.insist(tokens["acr"] == "urn:idp:acr:1fa", f"acr {tokens['acr']}")
        self.record.insist(tokens["amr"] == "pwd", f"amr {tokens['amr']}")
        self.record.insist(self.patiently(lambda: self.is_alive(tokens)), "a token that is none")
        tokens |= self.patiently(lambda: self.refreshed(tokens))
        self.patiently(lambda: self.revoked(tokens))
        for node in self.nodes:
            alive = self.patiently(lambda node=node: self.is_alive(tokens, node))  # type: ignore[misc]
            self.record.insist(not alive, "revoked, it was told, and is alive")
        self.record.counts["rounds"] += 1

    def patiently(self, action: Callable[[], T]) -> T:
        """Again and again while nobody answers."""
        deadline = monotonic() + PATIENCE
        while True:
            try:
                return action()
            except (Unavailable, httpx.TransportError):
                self.record.counts["tried again"] += 1
                if monotonic() > deadline:
                    self.record.wrong.append("a client did not get through")
                    raise
                sleep(0.25)

    def anywhere(self) -> Remote:
        return secrets.choice(self.nodes)

    def signed_in(self) -> dict[str, str]:
        """The page at one node and the password at another. Lost on the way, it begins anew."""
        node = self.anywhere()
        party, agent = at(self.shop, node), node.browser()
        page = agent.get(party.authorization_url())
        if not isinstance(page, Page) or page.status != 200:
            raise Unavailable
        agent = as_there(agent, self.anywhere())
        place = enter(agent, page, self.person)
        if not isinstance(place, Departure):
            raise Unavailable
        code, pending = party.authorization_code(place)
        form = {"grant_type": "authorization_code", "code": code}
        form |= {"redirect_uri": pending.redirect_uri, "code_verifier": pending.verifier or ""}
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            answers = list(pool.map(lambda node: self.token(node, form), self.nodes))
        won = [one for one in answers if one is not None and one.status_code == 200]
        self.record.insist(len(won) <= 1, "a code was redeemed twice")
        if not won or len(answers) > 1:
            # The second try, as it must, has ended what the first one bought.
            self.asks_for_more(agent, party)
            code, pending = party.authorization_code(self.silently(agent, party))
            return self.redeemed(party, code, pending)
        raise Unavailable

    def silently(self, agent: UserAgent, party: RelyingParty) -> Departure:
        answer = agent.client.get(party.authorization_url(scope="openid offline_access"))
        if answer.status_code != 303:
            raise Unavailable
        return Departure(answer.headers["Location"])

    def asks_for_more(self, agent: UserAgent, party: RelyingParty) -> None:
        """Than a password shows: refused, whatever breaks."""
        answer = agent.client.get(party.authorization_url(prompt="none", claims=MORE))
        where = answered(answer).headers.get("Location", "")
        self.record.insist("code=" not in where, "an acr that was not earned")
        self.record.counts["more refused"] += "error=" in where

    def redeemed(self, party: RelyingParty, code: str, pending: object) -> dict[str, str]:
        try:
            tokens = party.exchange(code, pending)  # type: ignore[arg-type]
        except TokenRefused as error:
            raise Unavailable from error  # the answer may have been lost with the node
        claims = tokens.claims
        said = {"acr": claims["acr"], "amr": " ".join(claims["amr"])}
        return {"access": tokens.access_token, "refresh": tokens.refresh_token, **said}

    def token(self, node: Remote, form: dict[str, str]) -> httpx.Response | None:
        try:
            return at(self.shop, node).token_request(**form)
        except httpx.TransportError:
            return None

    def is_alive(self, tokens: dict[str, str], node: Remote | None = None) -> bool:
        headers = {"Authorization": f"Bearer {tokens['access']}"}
        answer = (node or self.anywhere()).http().get("/oauth/userinfo", headers=headers)
        return answered(answer).status_code == 200

    def refreshed(self, tokens: dict[str, str]) -> dict[str, str]:
        """Whoever loses the answer asks again, and is given the same."""
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh"]}
        answer = answered(at(self.shop, self.anywhere()).token_request(**form))
        self.record.insist(answer.status_code == 200, f"a refresh was answered {answer.text}")
        told = answer.json()
        return {"access": told["access_token"], "refresh": told["refresh_token"]}

    def revoked(self, tokens: dict[str, str]) -> None:
        party = at(self.shop, self.anywhere())
        form = {"token": tokens["refresh"]}
        answer = answered(party.post(f"{party.issuer}/oauth/revoke", form))
        self.record.insist(answer.status_code == 200, f"a revocation: {answer.text}")


def answered(response: httpx.Response) -> httpx.Response:
    if response.status_code == 503:
        raise Unavailable
    return response


@dataclass(frozen=True)
class Trouble:
    """Kills the last node every minute, and the primary once. The first lives through all of it."""

    servers: list[Server]
    pair: Pair
    record: Record
    minutes: float

    def run(self) -> None:
        began, killed, failed_over = monotonic(), 0, False
        while (elapsed := (monotonic() - began) / 60) < self.minutes:
            sleep(2)
            self.measure()
            if not failed_over and elapsed > self.minutes / 2:
                self.pair.primary.stop(immediate=True)
                sleep(3)  # meanwhile the standby answers what only reads
                self.pair.standby.promote()
                failed_over = True
            elif elapsed > killed + 0.5:
                server = self.servers[-1]
                server.kill()
                server.start(seconds=120)
                killed += 1
        self.record.counts |= Counter({"nodes killed": killed, "failovers": int(failed_over)})

    def measure(self) -> None:
        for server in self.servers:
            self.record.memory.measure(server.pid)


@contextmanager
def deployed(folder: Path) -> Iterator[tuple[Pair, list[Server], House]]:
    settings = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}
    with replicated() as pair:
        pair.primary.create("idp")
        url = pair.url("idp")
        upgrade(url)
        with (
            housed(url, FakeClock(system_clock())) as house,
            serve(url, folder, n=2, settings=settings | {"IDP_ISSUER": ISSUER}) as servers,
        ):
            yield pair, servers, house


def count_in_truth(house: House, record: Record) -> None:
    """What the database has of it."""
    with house.app.app_context():
        alive = (
            select(func.count())
            .where(RefreshToken.used_at.is_(None))
            .group_by(RefreshToken.grant_id)
        )
        several = [number for number in db.session.scalars(alive) if number > 1]
        record.insist(not several, f"{len(several)} lines of refresh tokens with several ends")
        ended = select(func.count(Grant.id)).where(Grant.ended_at.is_not(None))
        record.counts["grants ended"] = db.session.scalar(ended) or 0


def soak(minutes: float, clients: int) -> Record:
    """Run it."""
    record, over = Record(), Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        deployed(Path(folder)) as (pair, servers, house),
        ThreadPoolExecutor(clients) as pool,
    ):
        nodes = [Remote(server.port) for server in servers]
        shops = [house.client(**REFRESHING, scope="openid offline_access") for _ in range(clients)]
        for shop in shops:
            shop.clock, shop.scope = None, "openid offline_access"
        running = [
            pool.submit(Client(nodes, shop, newcomer(house), record, over).run) for shop in shops
        ]
        try:
            Trouble(servers, pair, record, minutes).run()
        finally:
            over.set()
        for one in running:
            one.result()
        count_in_truth(house, record)
    record.wrong += record.memory.grew()
    return record


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=3)
    chosen = parser.parse_args()
    record = soak(chosen.minutes, chosen.clients)
    told = [
        *[f"{number:8} {name}" for name, number in record.counts.items()],
        *record.memory.told(),
        *(record.wrong or ["Nothing went wrong."]),
    ]
    sys.stdout.write("\n".join([*told, ""]))
    return int(bool(record.wrong))


if __name__ == "__main__":
    sys.exit(main())
