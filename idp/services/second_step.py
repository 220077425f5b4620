"""Taking a lost second step off an account, when nothing else helps its owner back in."""

from collections.abc import Mapping

from idp import audit
from idp.assurance import Trait
from idp.audit import Context
from idp.factors.base import Factor
from idp.factors.rows import delete_all, hold
from idp.models import User, db
from idp.services.endings import end_everything
from idp.services.notices import Notices

_TOLD = "An administrator took your passkeys, codes and app off this account."


class SecondStepReset:
    """Leaves a person with the password and the mailbox; whatever she had open ends."""

    def __init__(self, factors: Mapping[str, Factor], notices: Notices) -> None:
        self._steps = [name for name, one in factors.items() if Trait.POSSESSION in one.can_prove]
        self._notices = notices

    def take_off(self, user: User, context: Context) -> None:
        """Delete every credential that shows possession, and tell the person. Commits."""
        hold(user.id)
        for method in self._steps:
            delete_all(user.id, method)
        end_everything(user.id, context=context, reason="second_step_reset")
        audit.record("second_step.reset", context, user_id=user.id)
        self._notices.tell(user, _TOLD, context)
        db.session.commit()
