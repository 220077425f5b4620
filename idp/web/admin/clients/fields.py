"""Fields of the applications' forms: each names one member, and nothing else is ever set."""

from collections.abc import Callable, Mapping
from typing import Final

from flask import request

from idp.protocol.claim_mapping import MAPPED_CLAIMS
from idp.web.admin.uploads import uploaded
from idp.web.context import services

LOGO_FILE: Final = "logo_file"

Reader = Callable[[str], object]


def text(name: str) -> str | None:
    """One line; None when it is empty, which takes the member away."""
    return request.form.get(name, "").strip() or None


def lines(name: str) -> list[str]:
    """One value a line."""
    given = request.form.get(name, "").splitlines()
    return [line.strip() for line in given if line.strip()]


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


WHO: Final[Mapping[str, Reader]] = {
    "client_name": text,
    "logo_uri": text,
    "redirect_uris": lines,
    "allowed_groups": lines,
}
DETAILS: Final[Mapping[str, Reader]] = {
    "client_name": text,
    "client_uri": text,
    "logo_uri": text,
    "policy_uri": text,
    "tos_uri": text,
    "redirect_uris": lines,
    "post_logout_redirect_uris": lines,
    "initiate_login_uri": text,
}
ACCESS: Final[Mapping[str, Reader]] = {
    "minimum_acr": text,
    "max_auth_age": number,
    "refused_methods": several,
    "consent": text,
    "allowed_groups": lines,
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
