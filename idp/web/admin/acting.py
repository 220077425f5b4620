"""In whose name the console changes something."""

from dataclasses import replace

from idp.audit import Context
from idp.web.context import context
from idp.web.guards import viewer


def acting() -> Context:
    """The circumstances of a change, with the administrator who makes it."""
    _live, user = viewer()
    return replace(context(), actor_id=user.id)
