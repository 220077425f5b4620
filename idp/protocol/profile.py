"""The shape of what is stored of a person, before any of it can become a claim."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from idp.protocol.claims import ADDRESS_MEMBERS, PERSONAL_CLAIMS
from idp.protocol.text import is_clean, is_language_tag
from idp.protocol.urls import check_web_url, is_uri

MAX_TEXT: Final = 2000
MAX_GROUPS: Final = 1000

_BIRTHDATE: Final = re.compile(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))?")

Check = Callable[[object], bool]


def profile_problems(profile: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """What is wrong with ``profile``, as (claim, sentence); empty when it may be stored.

    Claims and types of OIDC Core 5.1, a ``#language`` tag permitted (5.2), and ``groups``.
    ``None`` means that the person has no such claim.
    """
    return tuple(
        (name, sentence)
        for name, value in profile.items()
        if (sentence := _problem(name, value)) is not None
    )


def _problem(name: str, value: object) -> str | None:
    base, tagged, tag = name.partition("#")
    if base not in PERSONAL_CLAIMS:
        return "is not a claim that a profile can hold: leave it out"
    if tagged and not is_language_tag(tag):
        return "has a language tag that is not one: write it like name#ja or name#pt-BR"
    check, sentence = _CHECKS.get(base, _TEXT)
    return None if value is None or check(value) else sentence


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and is_clean(value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_url(value: object) -> bool:
    if not isinstance(value, str):
        return False
    # Other people's homepages may well be plain http; scripts and data are what must stay out.
    return is_uri(value) and not check_web_url(re.sub(r"\Ahttp://", "https://", value))


def _is_birthdate(value: object) -> bool:
    return isinstance(value, str) and _BIRTHDATE.fullmatch(value) is not None


def _is_address(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(name in ADDRESS_MEMBERS and _is_lines(text) for name, text in value.items())


def _is_lines(value: object) -> bool:
    # OIDC Core 5.1.1: formatted and street_address may hold line ends.
    return value is None or (isinstance(value, str) and _is_text(re.sub(r"\r?\n", " ", value)))


def _is_groups(value: object) -> bool:
    if not isinstance(value, list | tuple) or len(value) > MAX_GROUPS:
        return False
    return all(_is_text(name) and name != "" for name in value)


_TEXT: Final[tuple[Check, str]] = (_is_text, f"must be text of at most {MAX_TEXT} characters")
_FLAG: Final[tuple[Check, str]] = (_is_flag, "must be true or false")
_URL: Final[tuple[Check, str]] = (_is_url, "must be a complete URL, such as https://example.com/me")

_CHECKS: Final[Mapping[str, tuple[Check, str]]] = {
    "profile": _URL,
    "picture": _URL,
    "website": _URL,
    "email_verified": _FLAG,
    "phone_number_verified": _FLAG,
    "updated_at": (_is_seconds, "must be a whole number of seconds since 1970"),
    "birthdate": (_is_birthdate, "must be written YYYY-MM-DD, 0000-MM-DD or YYYY"),
    "address": (_is_address, f"must be an object with any of {', '.join(ADDRESS_MEMBERS)}"),
    "groups": (_is_groups, "must be a list of group names"),
}
