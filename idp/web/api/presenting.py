"""The request as those see it who judge tokens."""

from flask import request

from idp.oidc.direct import Direct
from idp.web import certificates
from idp.web.context import context


def direct() -> Direct:
    """Without its body: a token is in a header, or nowhere."""
    return Direct(
        method=request.method,
        path=request.path,
        content_type=request.mimetype,
        authorization=request.headers.get("Authorization"),
        query=request.query_string.decode("latin-1"),
        body=b"",
        context=context(),
        dpop=request.headers.get("DPoP"),
        certificate=certificates.presented(),
    )
