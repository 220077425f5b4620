"""The people of the demo, with every standard claim (OpenID Connect Core 5.1) filled in."""

from typing import Final

from idp.services.account_fields import Fields

PASSWORD: Final = "paper lanterns drift at noon"  # noqa: S105  printed on the panel

PEOPLE: Final[tuple[Fields, ...]] = (
    {
        "email": "alice@example.com",
        "email_verified": True,
        "username": "alice",
        "name": "Alice Marigold Example",
        "role": "administrator",
        "groups": ["Staff", "Lamp makers"],
        "profile": {
            "given_name": "Alice",
            "family_name": "Example",
            "middle_name": "Marigold",
            "nickname": "Ali",
            "profile": "https://example.com/people/alice",
            "picture": "https://example.com/people/alice.jpg",
            "website": "https://alice.example.com/",
            "gender": "female",
            "birthdate": "1988-04-12",
            "zoneinfo": "Europe/Lisbon",
            "locale": "pt-PT",
            "phone_number": "+351 21 555 0101",
            "phone_number_verified": True,
            "address": {
                "formatted": "Rua das Lanternas 7\n1100-341 Lisboa\nPortugal",
                "street_address": "Rua das Lanternas 7",
                "locality": "Lisboa",
                "region": "Lisboa",
                "postal_code": "1100-341",
                "country": "Portugal",
            },
        },
    },
    {
        "email": "bob@example.com",
        "email_verified": True,
        "username": "bob",
        "name": "Bob Tamsin Example",
        "groups": ["Customers"],
        "profile": {
            "given_name": "Bob",
            "family_name": "Example",
            "middle_name": "Tamsin",
            "nickname": "Bobby",
            "profile": "https://example.com/people/bob",
            "picture": "https://example.com/people/bob.jpg",
            "website": "https://bob.example.com/",
            "gender": "male",
            "birthdate": "1979-11-03",
            "zoneinfo": "America/Halifax",
            "locale": "en-CA",
            "phone_number": "+1 902 555 0144",
            "phone_number_verified": True,
            "address": {
                "formatted": "12 Ferry Lane\nHalifax NS B3H 1A1\nCanada",
                "street_address": "12 Ferry Lane",
                "locality": "Halifax",
                "region": "Nova Scotia",
                "postal_code": "B3H 1A1",
                "country": "Canada",
            },
        },
    },
)
