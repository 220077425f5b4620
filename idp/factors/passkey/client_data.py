"""What the browser says of the ceremony, and the steps that both ceremonies share about it."""

import json
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from webauthn.helpers import bytes_to_base64url

from idp.factors.passkey.refusals import Deviation, Reason, or_else


@dataclass(frozen=True, slots=True)
class ClientData:
    """``CollectedClientData`` (WebAuthn L3 §5.8.1); members may still be of any JSON type."""

    type: Any
    challenge: Any
    origin: Any
    cross_origin: Any = None
    top_origin: Any = None

    @classmethod
    def parse(cls, raw: bytes) -> "ClientData":
        """Read ``clientDataJSON``; raises ``Deviation`` when it is not that."""
        with or_else(Reason.MALFORMED):
            members = json.loads(raw.decode())
            return cls(
                members["type"],
                members["challenge"],
                members["origin"],
                members.get("crossOrigin"),
                members.get("topOrigin"),
            )

    def check(self, *, type_: str, challenge: bytes, origins: Container[str]) -> None:
        """WebAuthn L3 §7.1 steps 7 to 11, §7.2 steps 10 to 14; raises ``Deviation``.

        py_webauthn looks at neither ``crossOrigin`` nor ``topOrigin``. Nothing of ours is meant
        to run in anybody's frame, so both are refused, whichever frame it is.
        """
        if self.type != type_:
            raise Deviation(Reason.WRONG_TYPE)
        if self.challenge != bytes_to_base64url(challenge):
            raise Deviation(Reason.WRONG_CHALLENGE)
        if not isinstance(self.origin, str) or self.origin not in origins:
            raise Deviation(Reason.WRONG_ORIGIN)
        if not (self.cross_origin is None or self.cross_origin is False):
            raise Deviation(Reason.CROSS_ORIGIN)
        if self.top_origin is not None:
            raise Deviation(Reason.CROSS_ORIGIN)
