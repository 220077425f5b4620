"""Everything a person has open, ended at once: the account was disabled, or its password reset."""

from idp.audit import Context
from idp.services import grants, sessions


def end_everything(user_id: str, *, context: Context, reason: str) -> None:
    """End the person's browser sessions and grants, in the caller's transaction."""
    sessions.end_all(user_id, context=context, reason=reason)
    grants.end_all(user_id=user_id, context=context)
