"""Everything a person has open, ended at once: the account was disabled, or its password reset."""

from idp.audit import Context
from idp.factors import magic_link
from idp.services import grants, open_links, sessions


def end_everything(user_id: str, *, context: Context, reason: str) -> None:
    """End the person's sessions, grants, links and pending change of address; no commit.

    The links come first: a session that one of them opens meanwhile is found with the others.
    """
    open_links.end(user_id, context.at)
    magic_link.withdraw(user_id, context.at)
    sessions.end_all(user_id, context=context, reason=reason)
    grants.end_all(user_id=user_id, context=context)
