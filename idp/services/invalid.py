"""Input that cannot be accepted, told field by field to whoever sent it."""

from collections.abc import Mapping


class Invalid(Exception):
    """``problems`` maps a field to a sentence; nothing was changed."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {text}" for field, text in problems.items()))
        self.problems = dict(problems)
