"""What becomes of an authorization request: an answer, or something a person has to do first."""

import json
from dataclasses import dataclass

from idp.protocol.responses import AuthorizationResponse
from idp.services.transactions import Purpose


@dataclass(frozen=True, slots=True)
class Answered:
    """The request has its answer: this goes to the client."""

    response: AuthorizationResponse


@dataclass(frozen=True, slots=True)
class Interact:
    """A person has to do something first; ``user_id`` pins who."""

    purpose: Purpose
    user_id: str | None
    session_id: str | None


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The person has to allow ``new``; ``already`` was allowed before."""

    new: tuple[str, ...]
    already: tuple[str, ...]


def dump(response: AuthorizationResponse) -> str:
    """A response as a transaction keeps it."""
    return json.dumps([response.redirect_uri, dict(response.parameters), response.mode])


def load(answer: str) -> AuthorizationResponse:
    """A response as a transaction kept it."""
    redirect_uri, parameters, mode = json.loads(answer)
    return AuthorizationResponse(redirect_uri, parameters, mode)
