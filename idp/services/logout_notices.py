"""What the clients of a session are owed when it ends: a logout token each, from the outbox."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import insert, select

from idp.audit import Context
from idp.models import Client, OutboxMessage, SessionClient, db, new_id
from idp.secrecy import Unreadable

KIND: Final = "logout.notice"


def owe(session_ids: Sequence[str], *, user_id: str, context: Context) -> None:
    """Put a notice into the outbox for each client that takes one, in the caller's transaction.

    So whatever ends a session, and however the process fares afterwards, they are told (OpenID
    Connect Back-Channel Logout 1.0 section 2.5). The logout token is made when it is sent; its
    ``jti`` is fixed here, and so a second copy is known for one.
    """
    if not session_ids:
        return
    owed = db.session.execute(
        select(SessionClient.session_id, SessionClient.client_id)
        .join(Client, Client.id == SessionClient.client_id)
        .where(
            SessionClient.session_id.in_(session_ids),
            Client.registration["backchannel_logout_uri"].as_string().is_not(None),
        )
    ).all()
    if owed:
        rows = [_row(client_id, session_id, user_id, context) for session_id, client_id in owed]
        db.session.execute(insert(OutboxMessage), rows)


def _row(client_id: str, session_id: str, user_id: str, context: Context) -> dict[str, Any]:
    notice = {
        "jti": new_id(),
        "client_id": client_id,
        "session_id": session_id,
        "user_id": user_id,
    }
    return {
        "kind": KIND,
        "recipient": client_id,
        "payload": json.dumps(notice),
        "created_at": context.at,
        "next_attempt_at": context.at,
    }


class PlainText:
    """Opens payloads of notices: they hold no secret, so whoever ends a session needs no key."""

    def open(self, text: str) -> Any:
        """The payload. Raises ``Unreadable``."""
        try:
            return json.loads(text)
        except ValueError:
            raise Unreadable("a notice that is no JSON") from None
