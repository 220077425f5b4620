"""What is wrong with a call, as a value: problem details (RFC 9457) with an error a field."""

from collections.abc import Iterable, Mapping

Errors = list[dict[str, str]]


class Problem(Exception):
    """The call is refused; nothing was changed. ``errors`` are ``{field, message}``."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Errors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})


def wrong(field: str, message: str) -> Problem:
    """One field is not what it has to be."""
    return Problem(422, "Nothing was changed.", errors=[{"field": field, "message": message}])


def wrong_query(*problems: tuple[str, str]) -> Problem:
    """Nothing that was asked for can be found by this query."""
    return Problem(422, "See what is wrong with the query.", errors=errors_of(problems))


def errors_of(problems: Mapping[str, str] | Iterable[tuple[str, str]]) -> Errors:
    """An error a field; what services say of a field, they say in a sentence without its name."""
    pairs = problems.items() if isinstance(problems, Mapping) else problems
    return [{"field": field, "message": text} for field, text in pairs]
