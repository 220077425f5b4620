"""Whom an authorization request is about: the one person that may answer it, where it names one."""

from typing import Protocol

from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.errors import OAuthError
from idp.services.clients import RegisteredClient
from idp.services.subjects import Subjects


class HintReader(Protocol):
    """Reads an ``id_token_hint``: the ``sub`` it names; raises ``OAuthError`` for one not ours."""

    def __call__(self, hint: str, *, client_id: str) -> str: ...


def expected_person(
    request: AuthorizationRequest,
    client: RegisteredClient,
    *,
    read_hint: HintReader,
    subjects: Subjects,
) -> str | None:
    """The account's id, by ``id_token_hint`` or by the ``sub`` that is claimed; None: anybody.

    Raises ``OAuthError`` ``invalid_request``: a hint that is not ours, a ``sub`` that this client
    cannot have been told, or both, naming different people.
    """
    named = _person(request.claims.subject, client, subjects)
    if request.id_token_hint is None:
        return named
    hint = read_hint(request.id_token_hint, client_id=request.client_id)
    hinted = _person(hint, client, subjects)
    if named not in (None, hinted):
        raise OAuthError("invalid_request", "id_token_hint and claims name different people.")
    return hinted


def _person(subject: str | None, client: RegisteredClient, subjects: Subjects) -> str | None:
    if subject is None:
        return None
    person = subjects.person(client, subject)
    if person is None:
        raise OAuthError("invalid_request", "A sub is asked for that this client was never told.")
    return person
