"""For properties: what a call gave, or the refusal it raised; anything else goes through."""

from collections.abc import Callable
from typing import TypeVar

from idp.protocol.errors import OAuthError

T = TypeVar("T")


def attempt(call: Callable[[], T]) -> T | OAuthError:
    """The result of ``call``, or the ``OAuthError`` that it raised."""
    try:
        return call()
    except OAuthError as error:
        return error
