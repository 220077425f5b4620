"""``sector_identifier_uri``: the document by which several hosts say that they belong together."""

from typing import Final

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.json_values import Json, parse_json
from idp.protocol.registration import InvalidClientMetadata
from idp.services.fetch import Fetcher
from idp.services.unfetchable import Unfetchable

_MEMBER: Final = "sector_identifier_uri"


class Sectors:
    """Fetches the document when a client registers (OIDC Registration 5, OIDC Core 8.1)."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def check(self, metadata: ClientMetadata) -> None:
        """Insist that the document, where one is named, lists every redirect address.

        Call it outside any transaction: it may take seconds. Raises ``InvalidClientMetadata``.
        """
        uri = metadata.sector_identifier_uri
        if uri is None:
            return
        listed = _addresses(self._document(uri))
        missing = [one for one in metadata.redirect_uris if one not in listed]
        if missing:
            raise _refused(f"does not list the redirect address {missing[0]}")

    def _document(self, uri: str) -> Json:
        try:
            return parse_json(self._fetcher.get(uri).body.decode())
        except Unfetchable as error:
            raise _refused(f"cannot be fetched: {error}") from None
        except ValueError:
            raise _refused("is not JSON in UTF-8") from None


def _addresses(document: Json) -> frozenset[str]:
    texts = [one for one in document if isinstance(one, str)] if isinstance(document, tuple) else []
    if not isinstance(document, tuple) or len(texts) != len(document):
        raise _refused("must be a JSON list of addresses")
    return frozenset(texts)


def _refused(sentence: str) -> InvalidClientMetadata:
    return InvalidClientMetadata(((_MEMBER, sentence),))
