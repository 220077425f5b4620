"""Access tokens that a client gets for itself: nobody is there, and nothing was proved."""

from datetime import timedelta

from idp.audit import Context
from idp.config import Settings
from idp.models import db
from idp.protocol.errors import OAuthError
from idp.protocol.resources import invalid_target
from idp.protocol.scopes import PERSONAL_SCOPES
from idp.services.binding import Binding
from idp.services.clients import RegisteredClient
from idp.services.granted import Asked, Granted, keep_grant
from idp.services.grants import Redeemed
from idp.services.tokens import issue_tokens


class ClientTokens:
    """Issues them (RFC 6749 section 4.4)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def issue(
        self,
        client: RegisteredClient,
        *,
        scope: tuple[str, ...] | None,
        resource: tuple[str, ...],
        context: Context,
        binding: Binding,
    ) -> Redeemed:
        """A grant of the client's own with its access token; never a refresh token. Commits.

        Raises ``OAuthError``: ``invalid_scope`` for a scope that is not registered or is about a
        person, ``invalid_target`` for a resource that is not registered: where nobody consents,
        the registration alone says what there is to be had.
        """
        granted = Granted(
            user_id=None,
            session_id=None,
            client_id=client.id,
            scope=_scope(client, scope),
            satisfied=None,
        )
        if not set(resource) <= set(client.metadata.allowed_resources):
            raise invalid_target("This client is not registered for one of the resources.")
        redeemed = self._write(granted, client, resource, context, binding)
        db.session.commit()
        return redeemed

    def _write(
        self,
        granted: Granted,
        client: RegisteredClient,
        resource: tuple[str, ...],
        context: Context,
        binding: Binding,
    ) -> Redeemed:
        ends = context.at + self._settings.access_token_lifetime + _MARGIN
        kept = {"resource": list(resource)} if resource else {}
        grant_id = keep_grant(granted, kept, now=context.at, expires_at=ends)
        tokens = issue_tokens(
            self._settings,
            client=client,
            grant_id=grant_id,
            scope=granted.scope,
            resource=resource,
            now=context.at,
            binding=binding,
        )
        return Redeemed(
            grant_id=grant_id,
            granted=granted,
            asked=Asked(resource=resource),
            scope=granted.scope,
            tokens=tokens,
        )


_MARGIN = timedelta(minutes=1)
"""A grant is there for a little longer than what it bought."""


def _scope(client: RegisteredClient, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """What was asked for; all there is, where nothing was (RFC 6749 section 3.3)."""
    possible = tuple(one for one in client.metadata.scope if one not in PERSONAL_SCOPES)
    if asked is None:
        return possible
    if not set(asked) <= set(possible):
        raise OAuthError(
            "invalid_scope", "A scope is not registered for this client, or is about a person."
        )
    return asked
