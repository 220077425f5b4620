"""Frozen dataclasses that are made in every request, at the cost of ones that may be changed."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from functools import update_wrapper
from inspect import signature
from typing import Any, Final, TypeVar

T = TypeVar("T")

_become: Final[Any] = vars(object)["__class__"].__set__


def made_often(cls: type[T]) -> type[T]:
    """The same frozen dataclass with slots, whose objects are made in a third of the time.

    A dataclass gets around its own refusal to be changed by a call for every field, which costs
    six times what an assignment does. Here an object is of another class at first, with the same
    slots, that may be assigned to; once it is complete, before anybody has seen it, it becomes
    what it is. A field that is no parameter may have no default. Raises ``TypeError`` for a class
    without slots.
    """
    whole: Any = cls
    plain = vars(cls)["__init__"]
    draft = type("Draft", (), {"__slots__": [one.name for one in fields(whole)]})
    _become(object.__new__(cls), draft)
    known: dict[str, Any] = {"become": _become, "draft": draft, "made": cls}
    lines = ["become(self, draft)", *_assignments(whole, plain, known), "self.__class__ = made"]
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    # As ``dataclass`` does it: the names are those of a class of ours.
    exec("\n ".join([f"def __init__({_parameters(plain)}):", *lines]), known)  # noqa: S102
    quick: Any = update_wrapper(known["__init__"], plain)
    quick.__defaults__, quick.__kwdefaults__ = plain.__defaults__, plain.__kwdefaults__
    whole.__init__ = quick
    return cls


def _parameters(plain: Any) -> str:
    names, places = plain.__code__.co_varnames, plain.__code__.co_argcount
    by_name = names[places : places + plain.__code__.co_kwonlyargcount]
    return ", ".join([*names[:places], *(["*"] if by_name else []), *by_name])


def _assignments(cls: Any, plain: Any, known: dict[str, Any]) -> Iterator[str]:
    given: list[Field[Any]] = [one for one in fields(cls) if one.init]
    for name, factory in ((one.name, one.default_factory) for one in given):
        if factory is MISSING:
            yield f"self.{name} = {name}"
        else:
            left_out = signature(plain).parameters[name].default
            known |= {f"make_{name}": factory, f"no_{name}": left_out}
            yield f"self.{name} = make_{name}() if {name} is no_{name} else {name}"
