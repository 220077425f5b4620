"""A request that a person has to do something for: when, and what a sign-in keeps of it."""

from idp.oidc.answers import Interact
from idp.oidc.asked import Asked
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.vocabulary import Prompt
from idp.services import transactions
from idp.services.sessions import Live
from idp.services.transactions import Purpose


def must_choose(request: AuthorizationRequest, live: Live) -> bool:
    """Whoever is signed in here, is it for the person to say who goes on?"""
    creating = Prompt.CREATE in request.prompts
    return creating or Prompt.SELECT_ACCOUNT in request.prompts or hints_at_other(request, live)


def hints_at_other(request: AuthorizationRequest, live: Live) -> bool:
    """Does ``login_hint`` name an address that is not this person's? Known or not: no oracle.

    Where one person is asked for, she is meant, and not who is only hinted at.
    """
    hint = (request.login_hint or "").strip().casefold()
    return "@" in hint and hint != live.email.casefold() and not request.names_subject


def interact(
    asked: Asked, live: Live | None, *, subject: str | None = None, choose: bool = False
) -> Interact:
    """What becomes a sign-in: of ``live``, or of whoever comes, if not of ``subject`` alone.

    ``choose``: somebody is signed in here, and may go on or not.
    """
    state = {
        "choose": choose and not subject,
        transactions.SUBJECT: subject,
        "create": Prompt.CREATE in asked.request.prompts,
        # Whether a hint is of ``subject`` is shown to nobody: who knows a ``sub`` could try names.
        "login_name": None if subject else asked.request.login_hint,
    }
    purpose = Purpose(
        client_id=asked.client.id,
        parameters=asked.arrived.to_json(),
        state={name: value for name, value in state.items() if value},
    )
    return Interact(purpose, live.user_id if live else None, live.id if live else None, asked)
