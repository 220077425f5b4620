"""Our own API as others find it: its metadata (RFC 9728), and where a challenge says that it is."""

from typing import Final

from idp.config import Settings
from idp.oidc.capabilities import capabilities_of
from idp.oidc.documents import Document
from idp.protocol.scopes import ACCOUNT, ADMIN

PATH: Final = "/.well-known/oauth-protected-resource"


def resource_metadata(settings: Settings) -> Document:
    """RFC 9728 section 2.

    The resource is the issuer: that is what stands in ``aud`` of a token for our own API. Its
    path is empty, so that nothing is appended to the well-known one (section 3.1).
    """
    can = capabilities_of(settings)
    bound = can.certificate_bound_access_tokens
    members: dict[str, object] = {
        "resource": settings.issuer,
        "authorization_servers": [settings.issuer],
        "scopes_supported": [one.name for one in (ACCOUNT, *ADMIN)],
        "bearer_methods_supported": ["header"],
        "resource_name": settings.site_name,
        **({"dpop_signing_alg_values_supported": list(a)} if (a := can.dpop_signing_algs) else {}),
        **({"tls_client_certificate_bound_access_tokens": True} if bound else {}),
    }
    return Document.of(members)


def pointing(challenge: str, issuer: str) -> str:
    """A WWW-Authenticate challenge that also says where the metadata is (RFC 9728 section 5.1)."""
    return f'{challenge}, resource_metadata="{issuer}{PATH}"'
