"""What becomes of an authorization request: an answer, or something a person has to do first."""

from dataclasses import dataclass

from idp.frozen import made_often
from idp.models import Transaction
from idp.oidc.asked import Asked
from idp.protocol.responses import AuthorizationResponse
from idp.secrecy import Box
from idp.services.transactions import Purpose


@dataclass(frozen=True, slots=True)
class Answered:
    """The request has its answer: this goes to the client.

    ``turned_away``: the client is for nobody yet, which the person reads first.
    """

    response: AuthorizationResponse
    turned_away: bool = False


@made_often
@dataclass(frozen=True, slots=True)
class Interact:
    """A person has to do something first; ``user_id`` pins who."""

    purpose: Purpose
    user_id: str | None
    session_id: str | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The person has to allow ``new``; ``already`` was allowed before.

    ``resources`` are the APIs that it is for (RFC 8707), none where it is for ours.
    """

    new: tuple[str, ...]
    already: tuple[str, ...]
    resources: tuple[str, ...] = ()


def keep(response: AuthorizationResponse, box: Box) -> str:
    """A response as a transaction keeps it: sealed, for the code in it is only hashed elsewhere."""
    return box.seal([response.redirect_uri, dict(response.parameters), response.mode, response.jwt])


def kept(transaction: Transaction, box: Box) -> AuthorizationResponse:
    """The response that a finished transaction was answered with."""
    return AuthorizationResponse(*box.open(transaction.answer or ""))
