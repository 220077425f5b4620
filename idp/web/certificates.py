"""The certificate that the caller showed to the proxy in front of us."""

from flask import request

from idp.services.certificates import ClientCertificate, read_header
from idp.web.context import services


def presented() -> ClientCertificate | None:
    """None without one, and wherever no header was agreed on with the proxy.

    ``TrustedProxies`` has taken the header from every request that no trusted proxy sent.
    """
    name = services().settings.client_certificate_header
    value = request.headers.get(name) if name else None
    return read_header(value) if value else None
