"""People as the command names, reads and shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select

from idp.cli.json_files import json_object
from idp.cli.refusals import Refused
from idp.models import Credential, User, db
from idp.services.account_fields import Fields
from idp.services.claims import claims_of
from idp.services.session_list import listed
from idp.web.services import Services

_OF_THE_ACCOUNT = {"name": "name", "preferred_username": "username", "groups": "groups"}
"""Claims that an account keeps under a field of its own."""
_NOT_SET = frozenset({"sub", "email", "email_verified", "updated_at"})
"""Claims that are said otherwise, or by nobody but the provider."""


def find_person(services: Services, who: str) -> User:
    """By e-mail address, user name or id. Raises ``Refused``."""
    user = services.accounts.find_by_login(who) or services.accounts.find(who)
    if user is None:
        raise Refused(f"There is nobody called {who}. `idp users list` shows who there is.")
    return user


def fields_from(claims: bytes | None, given: Mapping[str, object]) -> Fields:
    """The fields of an account from a file of claims, and from options, which count more.

    Raises ``Refused`` for what is not a JSON object.
    """
    read = json_object(claims, "claims") if claims is not None else {}
    profile = {
        name: value
        for name, value in read.items()
        if name not in _OF_THE_ACCOUNT and name not in _NOT_SET
    }
    fields: dict[str, object] = {"profile": profile} if profile else {}
    fields |= {own: read[name] for name, own in _OF_THE_ACCOUNT.items() if name in read}
    fields |= {name: value for name, value in given.items() if value is not None}
    return cast("Fields", fields)


def person_json(user: User) -> dict[str, object]:
    """A person as ``list`` shows one."""
    return {
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "disabled": user.disabled_at is not None,
        "created_at": user.created_at,
    }


def details_of(user: User, now: datetime) -> dict[str, Any]:
    """What ``show`` adds; of credentials nothing that is secret."""
    names = ("id", "kind", "label", "created_at", "last_used_at")
    held = select(Credential).where(Credential.user_id == user.id, Credential.used_at.is_(None))
    credentials = db.session.scalars(held.order_by(Credential.created_at)).all()
    return {
        "groups": [group.name for group in user.groups],
        "claims": claims_of(user),
        "credentials": [{name: getattr(one, name) for name in names} for one in credentials],
        "sessions": len(listed(user.id, now)),
    }
