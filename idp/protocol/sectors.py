"""Sectors: the relying parties that may know one person by one name (OIDC Core 8.1)."""

from urllib.parse import urlsplit

from idp.protocol.client_metadata import ClientMetadata


def hosts_of(metadata: ClientMetadata) -> frozenset[str]:
    """The hosts of the redirect addresses; a scheme of an app's own has none."""
    return frozenset(urlsplit(uri).hostname or "" for uri in metadata.redirect_uris)


def sector_of(metadata: ClientMetadata) -> str:
    """The sector identifier: the host of ``sector_identifier_uri``, else of the redirect addresses.

    Raises ``ValueError`` where neither says which; such a registration has public subjects.
    """
    if metadata.sector_identifier_uri is not None:
        return urlsplit(metadata.sector_identifier_uri).hostname or ""
    (host,) = hosts_of(metadata)
    return host
