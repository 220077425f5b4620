"""What an account is made of, as it comes from outside: read whole, or refused whole."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypedDict, cast

from idp.protocol.text import is_displayable
from idp.services.addresses import normalise_email, normalise_username
from idp.services.claims import problems_with, without_blanks
from idp.services.groups import normalise_group
from idp.services.invalid import Invalid
from idp.services.roles import ROLES

LONGEST_NAME: Final = 255


class Fields(TypedDict, total=False):
    """What of an account may be set; what is absent stays as it is.

    ``profile`` (further standard claims) and ``groups`` (names) are given whole.
    """

    email: str
    email_verified: bool
    username: str | None
    name: str | None
    profile: Mapping[str, object]
    groups: Iterable[str]
    role: str | None


def read(fields: Fields) -> dict[str, Any]:
    """The same values normalised. Raises ``Invalid`` with all problems, by field or by claim."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in fields.items():
        try:
            values[name] = _READERS[name](value)
        except KeyError:
            problems[name] = "There is no such field."
        except ValueError as error:
            problems[name] = str(error)
        except Invalid as error:
            problems |= error.problems
    if problems:
        raise Invalid(problems)
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _optional(reader: Callable[[str], str]) -> Callable[[object], str | None]:
    def read_it(value: object) -> str | None:
        text = "" if value is None else _text(value).strip()
        return reader(text) if text else None

    return read_it


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME or not is_displayable(text):
        raise ValueError(f"A name is a line of text of at most {LONGEST_NAME} characters.")
    return text


def _role(text: str) -> str:
    if text not in ROLES:
        raise ValueError(f"A role is one of: {', '.join(ROLES)}.")
    return text


def _profile(value: object) -> dict[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be an object of claims")
    profile = cast("Mapping[str, object]", value)
    if problems := problems_with(profile):
        raise Invalid(problems)
    return without_blanks(profile)


def _groups(value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError("must be a list of names")
    return sorted({normalise_group(_text(name)) for name in value})


_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "email": lambda value: normalise_email(_text(value)),
    "email_verified": _flag,
    "username": _optional(normalise_username),
    "name": _optional(_name),
    "profile": _profile,
    "groups": _groups,
    "role": _optional(_role),
}
