"""Who may call an operation: by the token's scope, the person's role, and how she signed in."""

from idp.assurance import Rung
from idp.models import User, db
from idp.oidc.protected import Needed
from idp.services.holdings import credentials_of
from idp.services.roles import permits
from idp.web.api.call import Caller
from idp.web.api.operation import Operation
from idp.web.api.presenting import direct
from idp.web.api.problems import Problem
from idp.web.context import context, services
from idp.web.guards import RECENTLY


def admitted(operation: Operation) -> Caller:
    """Whoever brought a token that will do, as things are at this moment.

    The scope is needed in any case. A person's role has to permit the same, and she has to have
    signed in by the best that she has, two factors at least; for a change within the last ten
    minutes. A client that acts for itself has no role and proves nothing but itself: there the
    scope decides, which stands in its registration because an administrator wrote it there.

    Raises ``NoToken``, ``OAuthError``, ``Problem``.
    """
    protected = services().provider.protected
    judged = protected.token if operation.personal else protected.anybodys_token
    live = judged(direct(), scope=operation.permission.scope)
    if live.granted.user_id is None:
        return Caller(live, None)
    user = db.session.get_one(User, live.granted.user_id)
    if not permits(user.role, operation.permission):
        raise Problem(403, "Your role does not include this.")
    floor = max(services().holdings.strongest(user, credentials_of(user)), Rung.MFA)
    age = RECENTLY if operation.permission.writes else None
    protected.insist(live, Needed(floor, age), context().at)
    return Caller(live, user)
