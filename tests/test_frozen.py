"""What is made often is what the dataclass says it is."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from inspect import signature
from typing import Any

import pytest

from idp.frozen import made_often


@dataclass(frozen=True, slots=True)
class Plain:
    """With everything that a dataclass may have."""

    name: str
    note: str = "none"
    known: dict[str, int] = field(default_factory=dict, hash=False)
    quiet: bool = field(default=False, kw_only=True)
    length: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", len(self.name))


@made_often
@dataclass(frozen=True, slots=True)
class Often(Plain):
    """The same."""


GIVEN: dict[str, Callable[[type[Plain]], Plain]] = {
    "the least": lambda cls: cls("Ada"),
    "by place": lambda cls: cls("Ada", "a note", {"one": 1}),
    "by name": lambda cls: cls(known={}, note="a note", name="Ada", quiet=True),
    "replaced": lambda cls: replace(cls("Ada"), name="Augusta"),
    "copied": lambda cls: copy.copy(cls("Ada", known={"one": 1})),
    "pickled": lambda cls: pickle.loads(pickle.dumps(cls("Ada"))),  # noqa: S301  ours
}


def _all(one: Plain) -> tuple[object, ...]:
    return one.name, one.note, one.known, one.quiet, one.length, repr(one).partition("(")[2]


@pytest.mark.parametrize("made", GIVEN.values(), ids=GIVEN)
def test_it_is_like_any_other(made: Callable[[type[Plain]], Plain]) -> None:
    often = made(Often)

    assert type(often) is Often
    assert _all(often) == _all(made(Plain))
    assert often == made(Often)
    assert hash(often) == hash(made(Often))


@pytest.mark.parametrize(
    "wrong",
    [Often, lambda: Often("Ada", size=1), lambda: Often("Ada", "", {}, True)],  # type: ignore[call-arg]
    ids=["too little", "a name there is not", "by place what goes by name"],
)
def test_what_is_given_is_what_it_says(wrong: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"Often\.__init__"):
        wrong()


def test_it_says_what_it_takes() -> None:
    assert signature(Often) == signature(Plain)


@pytest.mark.parametrize("name", ["name", "another"])
def test_it_cannot_be_changed(name: str) -> None:
    often: Any = Often("Ada")

    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(often, name, "Eve")
    with pytest.raises(FrozenInstanceError):
        del often.name


def test_nobody_shares_what_is_made_for_each() -> None:
    assert Often("Ada").known is not Often("Ada").known


def test_what_could_not_become_it_is_refused_at_once() -> None:
    """Without slots it is laid out otherwise."""
    with pytest.raises(TypeError):
        made_often(dataclass(frozen=True)(type("Loose", (), {"__annotations__": {"a": int}})))
