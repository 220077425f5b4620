"""From options and a file to the members of a registration."""

from collections.abc import Mapping
from typing import Final

from idp.cli.json_files import json_object
from idp.cli.refusals import Refused

NO_MEMBERS: Final[Mapping[str, object]] = {}


def members_from(
    metadata: bytes | None,
    given: Mapping[str, object],
    *,
    public: bool,
    preset: Mapping[str, object] = NO_MEMBERS,
) -> dict[str, object]:
    """The members; what is ``given`` counts more than the file, and that than a ``preset``.

    Raises ``Refused``.

    RFC 7591 has clients without refresh tokens unless they say so. Here they have them unless they
    say otherwise: a client that asks for offline_access expects one, and each person is asked.
    """
    members = {**preset, **(json_object(metadata, "metadata") if metadata is not None else {})}
    members |= {name: value for name, value in given.items() if value is not None}
    if public:
        members["token_endpoint_auth_method"] = "none"  # noqa: S105  a method, no password
        members.setdefault("application_type", _application_type(members.get("redirect_uris")))
    members.setdefault("grant_types", ["authorization_code", "refresh_token"])
    return members


def id_from(members: Mapping[str, object]) -> str | None:
    """The ``client_id`` that the file names, if it names one.

    Raises ``Refused`` where it names a secret, too: that would be another than it says.
    """
    if "client_secret" in members:
        raise Refused(
            "client_secret is made here, and told once: leave it out, or let `idp clients apply`"
            " read one of yours."
        )
    client_id = members.get("client_id")
    if not isinstance(client_id, str | None):
        raise Refused("client_id must be a text.")
    return client_id


def _application_type(redirect_uris: object) -> str:
    """``native`` where an address has a scheme of its own, which only those may (RFC 8252 7.1)."""
    listed = redirect_uris if isinstance(redirect_uris, list) else []
    web = all(str(uri).startswith(("http:", "https:")) for uri in listed)
    return "web" if web else "native"
