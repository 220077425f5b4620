"""Calling the API: tokens of people by their role, and of applications for themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from idp.protocol.scopes import ADMIN
from idp.web.api.registry import OPERATIONS
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import passkey
from tests.web.walking import newcomer, tokens_of

EVERYTHING = " ".join(one.name for one in ADMIN)


@dataclass(frozen=True)
class Tool:
    """Whoever calls, with one access token."""

    house: House
    token: str
    person: Person | None = None
    app: RelyingParty | None = None

    def __call__(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        match: str | None = None,
        key: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        """A call; ``match`` goes into If-Match, ``key`` into Idempotency-Key."""
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= {"If-Match": match} if match else {}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= options.pop("headers", {})
        body = {} if json is None else {"json": json}
        url = path if path.startswith("http") else f"/api/v1{path}"
        return self.house.http().request(method, url, headers=headers, **body, **options)

    def ok(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """What a call that succeeds answers with."""
        response = self(method, path, json, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def tag(self, path: str) -> str:
        """The entity tag of what is there now."""
        return str(self("GET", path).headers["ETag"])


def app_of(house: House, scope: str = EVERYTHING, **members: Any) -> RelyingParty:
    """An application that asks people for scopes of the administration."""
    app = house.client(scope=f"openid {scope}", consent="never", **members)
    app.scope = f"openid {scope}"
    return app


def as_role(
    house: House, role: str | None, *, app: RelyingParty | None = None, **fields: Any
) -> Tool:
    """Somebody of this role who has just used a passkey."""
    person = newcomer(house, role=role, **fields)
    answers = {"passkey": passkey(house.passkey(person))}
    app = app or app_of(house)
    tokens = tokens_of(house.browser(), app, answers=answers)
    return Tool(house, tokens.access_token, person, app)


def as_machine(house: House, scopes: Iterable[str] = EVERYTHING.split()) -> Tool:
    """An application that acts for itself."""
    scope = " ".join(scopes)
    app = house.client(
        scope=scope or "openid",
        grant_types=["client_credentials"],
    )
    form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    return Tool(house, str(app.token_request(**form).json()["access_token"]), app=app)


def path_of(name: str, **arguments: str) -> str:
    """The path of an operation; what is not given names nothing."""
    path = OPERATIONS[name].path
    for argument in OPERATIONS[name].arguments:
        path = path.replace(f"{{{argument}}}", arguments.get(argument, "nothing"))
    return path


def problems(response: httpx.Response) -> Mapping[str, str]:
    """What is wrong with which field."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    return {one["field"]: one["message"] for one in response.json()["errors"]}
