"""Offering the nonce that the next DPoP proof is to carry (RFC 9449 section 8.2)."""

from flask import Response, request

from idp.web.context import context, services


def offer_nonce(response: Response) -> Response:
    """Whoever sends proofs is told the present nonce with every answer, where they are wanted."""
    if services().settings.dpop_nonces and "DPoP" in request.headers:
        nonces = services().provider.proofs.nonces
        response.headers["DPoP-Nonce"] = nonces.fresh(context().at)
    return response
