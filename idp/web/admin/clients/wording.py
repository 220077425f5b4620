"""What is wrong with a registration, for people who fill in forms.

Rules speak to whoever writes members: by their names, and with the words of the protocol. Here the
same is said with the words that stand on the page, and with what to do about it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

LABELS: Final[Mapping[str, Any]] = {
    "client_name": later("The name"),
    "redirect_uris": later("Redirect addresses"),
    "logo_uri": later("The logo’s address"),
    "client_uri": later("The home page"),
    "initiate_login_uri": later("Where a sign-in begins"),
    "post_logout_redirect_uris": later("Addresses after a sign-out"),
    "consent": later("Asking people"),
    "enrol_in_step_up": later("Setting up on the way"),
    "acr_values_voluntary": later("A wish, not an order"),
    "policy_uri": later("The privacy policy’s address"),
    "tos_uri": later("The address of the terms"),
    "allowed_groups": later("Who may sign in"),
    "admits": later("Who may sign in"),
    "owner_groups": later("Who keeps it"),
    "told_groups": later("Groups that it is told of"),
    "claim_mapping": later("Claims taken from another field"),
    "minimum_acr": later("The least strength allowed"),
    "max_auth_age": later("The oldest sign-in"),
    "refused_methods": later("Refused methods"),
    "registration": later("The registration"),
}
"""Fields of the forms, by the members that they set."""

ANY: Final = ""
_WORDS: Final[tuple[tuple[str, str, Any], ...]] = (
    (
        "redirect_uris",
        "must list at least one address",
        later(
            "Type at least one redirect address: where people come back to, such as"
            " https://wiki.example/callback."
        ),
    ),
    (
        "redirect_uris",
        "must all start with https://",
        later("Every redirect address must start with https://: it is held to a strict profile."),
    ),
    (
        "sector_identifier_uri",
        "must be there: .* more than one host",
        later(
            "It knows people by identifiers of its own, which are of one host. Keep the redirect"
            " addresses on one host, or name the document that lists them all under “All members as"
            " JSON”."
        ),
    ),
    (
        "sector_identifier_uri",
        "must be there: .* no host",
        later(
            "It knows people by identifiers of its own, which are of a host. Give it a redirect"
            " address on one, or name the document that lists its addresses under “All members as"
            " JSON”."
        ),
    ),
    (
        "frontchannel_logout_uri",
        "must have the scheme",
        later(
            "What is opened when people sign out has to be on the host of a redirect address. Keep"
            " an address on that host, or change what is opened under “All members as JSON”."
        ),
    ),
    (
        "allowed_groups",
        "names groups: choose",
        later(
            "You named groups: choose “Only people in these groups”, or name none. Nobody else was"
            " let in."
        ),
    ),
    (
        ANY,
        "names a group that there is not: (?P<what>.*)",
        later(
            "%(label)s: there is no group %(what)s. Look at how it is written, or make it under"
            " Groups first."
        ),
    ),
    (ANY, r"must have at most (?P<what>\d+) items", later("%(label)s: at most %(what)s of them.")),
    (
        ANY,
        r"must have 1 to (?P<what>\d+) characters",
        later("%(label)s: type at most %(what)s characters."),
    ),
    (
        ANY,
        "must be readable text|must not hold control characters",
        later("%(label)s: type it on one line, without characters that cannot be seen."),
    ),
    (
        ANY,
        "is not a complete URL",
        later("%(label)s is not a complete address: write it as https://host/path."),
    ),
    (
        "max_auth_age",
        "",
        later("The oldest sign-in is a number of seconds: 3600 is an hour, 86400 a day."),
    ),
    (
        "consent",
        "is for an administrator",
        later("That nobody is asked is for an administrator to say. Choose that people are asked."),
    ),
    *(
        (member, "", later("%(label)s: choose from the list."))
        for member in ("consent", "minimum_acr", "refused_methods", "claim_mapping")
    ),
)
"""A member (``ANY``: every one), how the rule's sentence begins, and the sentence for people."""

_ITEM: Final = re.compile(r"item (?P<number>\d+) (?P<rest>.*)", re.DOTALL)
_LONGEST: Final = 80


def for_people(member: str, sentence: str) -> str:
    """The sentence that a form shows for what a rule has found."""
    item = _ITEM.fullmatch(sentence)
    rest = item["rest"] if item else sentence
    label = _one(member, item["number"]) if item else str(LABELS.get(member, ""))
    for of, begins, words in _WORDS:
        if of in (ANY, member) and (found := re.match(begins, rest)) and (label or of):
            what = found.groupdict().get("what") or ""
            return str(words) % {"label": label, "what": _shortened(what)}
    if label:
        return f"{label} {rest}."
    return str(
        _("Under “All members as JSON”: %(member)s %(sentence)s.", member=member, sentence=rest)
    )


def for_programmers(member: str, sentence: str) -> str:
    """The same for who writes the members themselves."""
    return f"{member} {sentence}."


def _one(member: str, number: str) -> str:
    if member == "post_logout_redirect_uris":
        return str(_("Address %(number)s after a sign-out", number=number))
    if member.endswith("_groups"):
        return str(_("Group %(number)s", number=number))
    return str(_("Address %(number)s", number=number))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
