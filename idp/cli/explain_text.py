"""An explanation, printed."""

from datetime import datetime

from idp.cli.output import print_record, say
from idp.models import User
from idp.oidc.explain import Explanation
from idp.oidc.explanation import called, came, demands, lines, proved
from idp.protocol.parameters import Parameters


def print_explanation(
    found: Explanation, user: User | None, parameters: Parameters, now: datetime
) -> None:
    """In words, for a terminal."""
    client = found.asked.client if found.asked else None
    print_record(
        {
            "client": called(client) if client else parameters.clean("client_id"),
            "redirect_uri": _address(found) or parameters.clean("redirect_uri"),
            "came": came(found.asked.arrived) if found.asked else None,
            "scope": found.asked.scope if found.asked else None,
            "demands": "; ".join(demands(found.demand, now)) if found.demand else None,
            "person": user.email if user else "anybody",
            "proved": [proved(one, now) for one in found.evidence] or "nothing",
        }
    )
    say("")
    for line in lines(found):
        say(line)


def _address(found: Explanation) -> str | None:
    return found.asked.request.redirect_uri if found.asked else None
