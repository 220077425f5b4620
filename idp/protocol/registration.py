"""From the JSON of a registration to ``ClientMetadata``, or to everything that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from idp.protocol.capabilities import Capabilities
from idp.protocol.client_metadata import (
    ISSUED_MEMBERS,
    LOCALIZED_MEMBERS,
    MEMBERS,
    ClientMetadata,
)
from idp.protocol.errors import OAuthError
from idp.protocol.metadata_readers import NotOneOf
from idp.protocol.metadata_rules import RULES
from idp.protocol.policy import SAID_BY_PROFILE
from idp.protocol.text import is_language_tag
from idp.protocol.vocabulary import REDIRECT_GRANTS

Problems = tuple[tuple[str, str], ...]

MAX_MEMBERS: Final = 200

_READERS: Final = {one.name: one.metadata["reader"] for one in MEMBERS}


class InvalidClientMetadata(OAuthError):
    """Everything that is wrong with a registration: ``problems`` as (member, sentence)."""

    def __init__(self, problems: Problems) -> None:
        # RFC 7591 section 3.2.2 has a code of its own for the redirect addresses.
        only_addresses = all(name == "redirect_uris" for name, _ in problems)
        error = "invalid_redirect_uri" if only_addresses else "invalid_client_metadata"
        description = " ".join(f"{name} {sentence}." for name, sentence in problems)
        super().__init__(error, description, redirectable=False)
        self.problems = problems


def parse_client_metadata(
    members: object, capabilities: Capabilities | None = None
) -> ClientMetadata:
    """Read decoded JSON with RFC 7591 member names; ``None`` as a value counts as absent.

    With ``capabilities``, what is well-formed but not to be had here is a problem too. Members
    that nobody knows are named in ``unknown`` and dropped; those of a registration's answer
    (``client_id`` and so on) are dropped.

    Raises ``InvalidClientMetadata`` with all problems at once.
    """
    sent = _sent(members)
    values, problems = _read_all(sent, capabilities)
    metadata = ClientMetadata(
        **_with_defaults(values),
        localized=tuple(sorted((name, values[name]) for name in values if "#" in name)),
        unknown=tuple(name for name in sent if not _is_known(name)),
    )
    failed = {name for name, _ in problems}
    problems += _broken_rules(metadata, failed)
    problems += _out_of_reach(metadata, capabilities, failed) if capabilities else ()
    if problems:
        raise InvalidClientMetadata(problems)
    return metadata


def _sent(members: object) -> dict[str, object]:
    if not isinstance(members, Mapping) or not all(isinstance(name, str) for name in members):
        raise InvalidClientMetadata((("registration", "must be a JSON object"),))
    if len(members) > MAX_MEMBERS:
        raise InvalidClientMetadata((("registration", "has too many members"),))
    # RFC 7592 section 2.2: null is the same as leaving a member out.
    return {name: value for name, value in members.items() if value is not None}


def _read_all(
    sent: Mapping[str, object], capabilities: Capabilities | None
) -> tuple[dict[str, Any], Problems]:
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, value in sent.items():
        if not _is_ours(name):
            continue
        try:
            values[name] = _read(name, value)
        except ValueError as error:
            problems.append((name, _sentence(name, error, capabilities)))
    return values, tuple(problems)


def _sentence(name: str, error: ValueError, capabilities: Capabilities | None) -> str:
    """What is wrong; of what could stand there, only what is to be had here is named."""
    capability = _CAPABILITY_OF.get(name)
    if not isinstance(error, NotOneOf) or capability is None or capabilities is None:
        return str(error)
    offered = getattr(capabilities, capability)
    return str(error.within(offered)) if offered else _not_here(offered)


def _read(name: str, value: object) -> object:
    base, tagged, tag = name.partition("#")
    if base == "software_statement":
        raise ValueError("is not accepted here: leave it out and send the members themselves")
    if tagged and not is_language_tag(tag):
        raise ValueError("has a language tag that is not one: write it like client_name#pt-BR")
    return _READERS[base](value)


def _is_ours(name: str) -> bool:
    base, tagged, _ = name.partition("#")
    return base in LOCALIZED_MEMBERS if tagged else base in (*_READERS, "software_statement")


def _is_known(name: str) -> bool:
    return _is_ours(name) or name in ISSUED_MEMBERS


def _with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` of plain members, and what the profile says for those that were left out.

    Without a redirect grant, no response type is the default.
    """
    said = SAID_BY_PROFILE[values.get("profile")]
    plain = {name: value for name, value in {**said, **values}.items() if name in _READERS}
    grants: Iterable[str] = plain.get("grant_types", REDIRECT_GRANTS)
    if "response_types" not in plain and not any(grant in REDIRECT_GRANTS for grant in grants):
        plain["response_types"] = ()
    return plain


def _broken_rules(metadata: ClientMetadata, failed: set[str]) -> Problems:
    return tuple(
        problem
        for rule in RULES
        if failed.isdisjoint(rule.reads)
        for problem in rule.check(metadata)
    )


def _out_of_reach(
    metadata: ClientMetadata, capabilities: Capabilities, failed: set[str]
) -> Problems:
    return tuple(
        (name, _not_here(offered))
        for name, capability in _CAPABILITY_OF.items()
        if name not in failed
        and not set(_listed(getattr(metadata, name))) <= set(getattr(capabilities, capability))
        for offered in [getattr(capabilities, capability)]
    )


def _listed(value: Any) -> Iterator[str]:
    if isinstance(value, tuple):
        yield from value
    elif value is not None:
        yield value


def _not_here(offered: tuple[str, ...]) -> str:
    if not offered:
        return "must be left out: this provider does not offer it"
    return f"must stay within what this provider offers: {', '.join(offered)}"


def _encryption(member: str, capability: str) -> dict[str, str]:
    return {f"{member}_{part}": f"{capability}_encryption_{part}s" for part in ("alg", "enc")}


_CAPABILITY_OF: Final[Mapping[str, str]] = {
    "response_types": "response_types",
    "grant_types": "grant_types",
    "subject_type": "subject_types",
    "authorization_details_types": "authorization_details_types",
    "token_endpoint_auth_method": "token_endpoint_auth_methods",
    "token_endpoint_auth_signing_alg": "token_endpoint_auth_signing_algs",
    "id_token_signed_response_alg": "id_token_signing_algs",
    "userinfo_signed_response_alg": "userinfo_signing_algs",
    "request_object_signing_alg": "request_object_signing_algs",
    "authorization_signed_response_alg": "authorization_signing_algs",
    "introspection_signed_response_alg": "introspection_signing_algs",
    **_encryption("id_token_encrypted_response", "id_token"),
    **_encryption("userinfo_encrypted_response", "userinfo"),
    **_encryption("request_object_encryption", "request_object"),
    **_encryption("authorization_encrypted_response", "authorization"),
    **_encryption("introspection_encrypted_response", "introspection"),
}
