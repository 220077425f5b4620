"""Fields of the applications' forms: each names one member, and nothing else is ever set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from flask import request

from idp.protocol.claim_mapping import MAPPED_CLAIMS
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.web.admin.uploads import uploaded
from idp.web.context import services

LOGO_FILE: Final = "logo_file"
EVERYONE, GROUPS = "everyone", "groups"

Reader = Callable[[str], object]


def text(name: str) -> str | None:
    """One line; None when it is empty, which takes the member away."""
    return request.form.get(name, "").strip() or None


def lines(name: str) -> list[str]:
    """One value a line; or each by a checkbox of its own."""
    given = [line.strip() for one in request.form.getlist(name) for line in one.splitlines()]
    return [line for line in given if line]


def number(name: str) -> int | str | None:
    """A whole number; what is none stays text, for the rules to refuse."""
    given = text(name)
    is_number = given is not None and given.isascii() and given.isdecimal() and len(given) < 12
    return int(given) if is_number and given else given


def ticked(name: str) -> bool:
    """A checkbox."""
    return name in request.form


def several(name: str) -> list[str]:
    """Checkboxes of one name."""
    return request.form.getlist(name)


def mapping(name: str) -> dict[str, str] | None:
    """One choice a claim; what is taken from itself is no mapping."""
    chosen = {claim: text(f"map-{claim}") for claim in MAPPED_CLAIMS}
    return {claim: source for claim, source in chosen.items() if source} or None


def who_chosen() -> str:
    """Nobody, unless somebody was chosen."""
    chosen = request.form.get("who", ADMITS_NOBODY)
    return chosen if chosen in (EVERYONE, GROUPS) else ADMITS_NOBODY


def admission(registered: Sequence[str] = ()) -> dict[str, object]:
    """The members that say who may sign in.

    Shut, it keeps the groups ``registered``: whoever only takes that back, by the command or the
    API, does not let everyone in instead.
    """
    who = who_chosen()
    named = {GROUPS: lines("allowed_groups"), EVERYONE: []}
    return {
        "admits": ADMITS_NOBODY if who == ADMITS_NOBODY else None,
        "allowed_groups": named.get(who, list(registered)),
    }


def contradicted(registered: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """What is wrong with who was chosen: groups named for nothing, or none where some are due."""
    groups, who = lines("allowed_groups"), who_chosen()
    if who == GROUPS and not groups:
        yield "allowed_groups", "needs a group: name one, or choose everyone or nobody"
    if who != GROUPS and groups and groups != list(registered):
        yield "allowed_groups", "names groups: choose “Only people in these groups”, or name none"


def who_of(members: Mapping[str, object]) -> str:
    """The choice that a registration stands for."""
    if members.get("admits") == ADMITS_NOBODY:
        return ADMITS_NOBODY
    return GROUPS if members.get("allowed_groups") else EVERYONE


WHO: Final[Mapping[str, Reader]] = {
    "client_name": text,
    "redirect_uris": lines,
    "logo_uri": text,
    "allowed_groups": lines,
}
DETAILS: Final[Mapping[str, Reader]] = {
    "client_name": text,
    "redirect_uris": lines,
    "post_logout_redirect_uris": lines,
    "client_uri": text,
    "logo_uri": text,
    "policy_uri": text,
    "tos_uri": text,
    "initiate_login_uri": text,
}
ACCESS: Final[Mapping[str, Reader]] = {
    "allowed_groups": lines,
    "minimum_acr": text,
    "max_auth_age": number,
    "refused_methods": several,
    "consent": text,
    "enrol_in_step_up": ticked,
    "acr_values_voluntary": ticked,
}
CLAIMS: Final[Mapping[str, Reader]] = {"told_groups": lines, "claim_mapping": mapping}
OWNERS: Final[Mapping[str, Reader]] = {"owner_groups": lines}
"""For an administrator alone."""


def with_logo(given: Mapping[str, object]) -> dict[str, object]:
    """The same with the address of a logo that was uploaded. Raises ``Invalid`` at its field."""
    path = uploaded(LOGO_FILE)
    return {**given, **({"logo_uri": services().settings.issuer + path} if path else {})}


def read(fields: Mapping[str, Reader]) -> dict[str, object]:
    """What was submitted, by members."""
    return {name: reader(name) for name, reader in fields.items()}


def shown(registration: Mapping[str, object], fields: Mapping[str, Reader]) -> dict[str, object]:
    """The values of a registration as the fields show them."""
    return {name: _shown(registration.get(name)) for name in fields}


def _shown(value: object) -> object:
    return "" if value is None else value
