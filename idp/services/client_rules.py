"""What a registration must keep to here, beyond what the protocol asks of every registration."""

from collections.abc import Iterable, Iterator, Mapping

from idp.assurance import resolve_acr_values
from idp.config import Settings
from idp.protocol.capabilities import Capabilities
from idp.protocol.client_metadata import (
    ISSUED_MEMBERS,
    LOCALIZED_MEMBERS,
    MEMBER_NAMES,
    ClientMetadata,
)
from idp.protocol.registration import InvalidClientMetadata, Problems, parse_client_metadata
from idp.services import methods
from idp.services.certificates import name_problem
from idp.services.methods import Way


class ClientRules:
    """The validator of every registration that this deployment's own people write.

    ``ways`` are the factors there are, of which a client may refuse some.
    """

    def __init__(
        self, settings: Settings, capabilities: Capabilities, *, ways: Iterable[Way]
    ) -> None:
        self._settings = settings
        self._capabilities = capabilities
        self._ways = tuple(ways)

    def parse(self, members: Mapping[str, object]) -> ClientMetadata:
        """Registration members (RFC 7591), held against what this deployment can do and knows.

        Raises ``InvalidClientMetadata`` with all problems; a member that nobody knows is one,
        for it is more likely a slip than a wish for nothing.
        """
        problems: Problems = tuple(_unknown(members))
        try:
            metadata = parse_client_metadata(members, self._capabilities)
        except InvalidClientMetadata as error:
            raise InvalidClientMetadata((*problems, *error.problems)) from None
        problems += tuple(self._meaningless(metadata))
        if problems:
            raise InvalidClientMetadata(problems)
        return metadata

    def _meaningless(self, metadata: ClientMetadata) -> Iterator[tuple[str, str]]:
        """Names that the protocol leaves open and nobody here knows: a floor must not vanish."""
        asked = {
            "minimum_acr": tuple(filter(None, [metadata.minimum_acr])),
            "confirm_operation_acr": tuple(filter(None, [metadata.confirm_operation_acr])),
            "default_acr_values": metadata.default_acr_values,
        }
        for member, names in asked.items():
            for name in names:
                if not resolve_acr_values([name], self._settings.acr_aliases):
                    yield member, f"names an acr value that is not known here: {name}"
        yield from self._unkept(metadata)
        yield from name_problem(metadata)
        if told := self._no_way_in(metadata.refused_methods):
            yield "refused_methods", told

    def _no_way_in(self, refused: tuple[str, ...]) -> str | None:
        """Why a client cannot refuse these, beside what is refused to everybody here."""
        settings = self._settings
        return methods.problem(
            self._ways,
            refused={*refused, *settings.refused_methods},
            login_style=settings.login_style,
            mails=settings.mails or not refused,
        )

    def _unkept(self, metadata: ClientMetadata) -> Iterator[tuple[str, str]]:
        """Promises that nobody here keeps: to take them in silence would be to break them."""
        can = self._capabilities
        kept = {
            "dpop_bound_access_tokens": bool(can.dpop_signing_algs),
            "tls_client_certificate_bound_access_tokens": can.certificate_bound_access_tokens,
            "require_signed_request_object": can.request_parameter,
            "require_pushed_authorization_requests": can.request_uri_parameter,
        }
        for member, possible in kept.items():
            if getattr(metadata, member) and not possible:
                yield member, "asks for what this provider cannot do yet"


def _unknown(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name in members:
        base, tagged, _ = name.partition("#")
        if base not in (LOCALIZED_MEMBERS if tagged else _KNOWN):
            yield name, "is not a member of a registration"


_KNOWN = MEMBER_NAMES | ISSUED_MEMBERS | {"software_statement"}
