"""What the shop sells."""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Ware:
    """``drawing`` is the name of a macro in lamps.html; ``price`` is in euros."""

    name: str
    text: str
    price: str
    drawing: str


WARES: Final = (
    Ware("Tenjin", "Round paper lantern, hand-ribbed bamboo", "34.00", "paper"),
    Ware("Skerry", "Storm lantern, burns through a gale", "129.00", "storm"),
    Ware("Curate", "Reading lamp with a bowed neck", "88.00", "desk"),
    Ware("Bellwether", "Pendant of spun copper", "146.00", "pendant"),
    Ware("Vesper", "Four panes, one candle", "42.00", "candle"),
    Ware("Inkcap", "Mushroom lamp of opal glass", "97.00", "mushroom"),
)

DELIVERY: Final = "Thursday, by bicycle"


@dataclass(frozen=True, slots=True)
class Order:
    """One lamp in a basket, waiting for a yes."""

    number: str
    ware: Ware

    def details(self) -> dict[str, Any]:
        """What the provider shows and has confirmed (RFC 9396)."""
        return {
            "type": "confirm_operation",
            "id": self.number,
            "title": "Pay for your order",
            "amount": {"value": self.ware.price, "currency": "EUR"},
            "payee": "Lampwright",
            "fields": [
                {"label": "Lamp", "value": self.ware.name},
                {"label": "Delivery", "value": DELIVERY},
            ],
        }
