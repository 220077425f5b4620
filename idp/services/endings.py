"""Everything a person has open, ended at once: the account was disabled, or its password reset."""

from idp.audit import Context
from idp.factors import magic_link
from idp.services import grants, sessions


def end_everything(user_id: str, *, context: Context, reason: str) -> None:
    """End the person's sessions, grants and mailed links, in the caller's transaction."""
    magic_link.withdraw(user_id, context.at)
    sessions.end_all(user_id, context=context, reason=reason)
    grants.end_all(user_id=user_id, context=context)
