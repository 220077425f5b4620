"""One access token for another (RFC 8693): somewhere else, for less, and saying who acts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.models import db
from idp.protocol.errors import OAuthError
from idp.protocol.resources import invalid_target
from idp.services.access import LiveToken
from idp.services.binding import Binding
from idp.services.clients import RegisteredClient
from idp.services.granted import Asked, Granted, keep_grant
from idp.services.grants import Redeemed
from idp.services.tokens import issue_tokens

NOT_EXCHANGED: Final = frozenset({"openid", "offline_access"})
"""Userinfo and refresh tokens stay between a person and the application she signed in to."""

DEEPEST: Final = 4
"""How many may stand behind one another in ``act``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a client presents and asks for; ``scope`` is None where it asks for all there is.

    A token that is not alive is None; ``has_actor`` says whether one was presented.
    """

    subject: LiveToken | None
    actor: LiveToken | None
    has_actor: bool
    scope: tuple[str, ...] | None
    audience: tuple[str, ...]


class Exchanging:
    """Issues the other token: with a grant of its own, that hangs on the one it came from."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def exchange(
        self, asked: Exchange, *, client: RegisteredClient, context: Context, binding: Binding
    ) -> Redeemed:
        """Exchange the subject token. Commits; a refusal is audited and committed as well.

        Whoever calls is named in ``act``, with whoever acted before nested in it. That somebody
        acts is never dropped, so nobody is impersonated (RFC 8693 section 1.1). What was proved,
        and when, stays as it was. The token ends no later than the subject token, and with every
        grant that it came from.

        Raises ``OAuthError``: ``invalid_request`` for tokens that will not do (section 2.2.2),
        ``invalid_target`` for an audience that is not registered, ``invalid_scope`` for more than
        the subject token has.
        """
        try:
            subject = _presented(asked, client, binding)
            _check_audience(asked.audience, client)
            granted = _granted(subject, client, asked.scope)
        except OAuthError as error:
            _record(
                "token.exchange.refused",
                asked,
                client,
                context,
                error=error.error,
                description=error.description,
            )
            db.session.commit()
            raise
        redeemed = self._write(subject, granted, asked.audience, client, context, binding)
        _record("token.exchanged", asked, client, context, audience=list(asked.audience))
        db.session.commit()
        return redeemed

    def _write(
        self,
        subject: LiveToken,
        granted: Granted,
        audience: tuple[str, ...],
        client: RegisteredClient,
        context: Context,
        binding: Binding,
    ) -> Redeemed:
        now, ends, kept = context.at, subject.expires_at, {"resource": list(audience)}
        grant_id = keep_grant(granted, kept, now=now, expires_at=ends)
        tokens = issue_tokens(
            self._settings,
            client=client,
            grant_id=grant_id,
            scope=granted.scope,
            resource=audience,
            now=now,
            binding=binding,
            until=ends,
        )
        return Redeemed(
            grant_id=grant_id,
            granted=granted,
            asked=Asked(resource=audience),
            scope=granted.scope,
            tokens=tokens,
        )


def _presented(asked: Exchange, client: RegisteredClient, binding: Binding) -> LiveToken:
    """The subject token, if all that was presented may be.

    A resource server cannot show the key that a token is bound to, and has seen it shown. Whoever
    the token was issued to can: else an exchange would make of it one that is bound to nothing.
    """
    subject, actor = asked.subject, asked.actor
    if subject is None or not subject.concerns(client.id):
        raise _invalid("subject_token is unknown, over, or none of this client's business.")
    if subject.granted.client_id == client.id and not binding.covers(subject.binding):
        raise _invalid("subject_token is bound to a key that was not shown.")
    if subject.granted.user_id is None:
        raise _invalid("subject_token is not about a person: whoever has it acts for itself.")
    if asked.has_actor and (actor is None or not _is_own(actor, client)):
        raise _invalid("actor_token must be one that this client was issued for itself.")
    return subject


def _is_own(token: LiveToken, client: RegisteredClient) -> bool:
    return token.granted.user_id is None and token.granted.client_id == client.id


def _check_audience(audience: tuple[str, ...], client: RegisteredClient) -> None:
    if not audience:
        raise invalid_target("audience or resource must say whom the token is for.")
    if not set(audience) <= set(client.metadata.token_exchange_audiences):
        raise invalid_target("This client may not exchange tokens for that audience.")


def _granted(
    subject: LiveToken, client: RegisteredClient, scope: tuple[str, ...] | None
) -> Granted:
    return replace(
        subject.granted,
        client_id=client.id,
        scope=_scope(subject, client, scope),
        details=(),  # one confirmation, for the one that asked for it
        act=_act(subject.granted.act, client),
        parent=subject.grant_id,
    )


def _scope(
    subject: LiveToken, client: RegisteredClient, asked: tuple[str, ...] | None
) -> tuple[str, ...]:
    registered = client.metadata.scope
    possible = tuple(one for one in subject.scope if one in registered and one not in NOT_EXCHANGED)
    if asked is None:
        return possible
    if not set(asked) <= set(possible):
        raise OAuthError("invalid_scope", "The subject token, or this client, has not all of that.")
    return asked


def _act(before: Mapping[str, Any] | None, client: RegisteredClient) -> Mapping[str, Any]:
    """RFC 8693 section 4.1: who acts now, outermost; who acted before, within."""
    act = {"sub": client.id} if before is None else {"sub": client.id, "act": before}
    if _depth(act) > DEEPEST:
        raise _invalid("subject_token has been exchanged too often.")
    return act


def _depth(act: Mapping[str, Any] | None) -> int:
    return 0 if act is None else 1 + _depth(act.get("act"))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def _record(
    name: str, asked: Exchange, client: RegisteredClient, context: Context, **data: Any
) -> None:
    granted = asked.subject.granted if asked.subject else None
    audit.record(
        name,
        context,
        user_id=granted.user_id if granted else None,
        client_id=client.id,
        session_id=granted.session_id if granted else None,
        issued_to=granted.client_id if granted else None,
        **data,
    )
