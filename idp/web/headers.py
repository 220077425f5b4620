"""Headers on every answer: the content security policy and its company."""

import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from flask import Flask

from idp.web import here
from idp.web.responses import Header, Response, named

REQUEST_ID: Final = "X-Request-ID"
_NOT_FRAMED: Final[Header] = ("X-Frame-Options", "DENY")
_TLS: Final[Header] = ("Strict-Transport-Security", "max-age=31536000")
_FIXED: Final[tuple[Header, ...]] = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
        "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    ),
    # A redirect and an answer to a script may hold a code: only what says otherwise is kept.
    ("Cache-Control", "no-store"),
)


def csp_nonce() -> str:
    """This response's nonce; each script element of a page must carry it."""
    own = vars(here.own())
    nonce: str | None = own.get("csp_nonce")
    if nonce is None:
        nonce = own["csp_nonce"] = secrets.token_urlsafe(16)
    return nonce


def allow_form_target(uri: str) -> None:
    """Let a form on this page end in a redirect to ``uri``.

    Browsers hold the redirect that follows a POST to ``form-action`` as well, and block it without
    a word: the page would seem dead.
    """
    _allow("form_targets", uri)


def allow_image(uri: str) -> None:
    """Let this page show an image from ``uri`` (a relying party's logo)."""
    _allow("image_sources", uri)


def allow_frame(uri: str) -> None:
    """Let this page show ``uri`` in a frame."""
    _allow("frame_sources", uri)


def allow_framing() -> None:
    """Let anybody show this document in a frame: there must be nothing in it to click on."""
    here.own().may_be_framed = True


def _allow(kind: str, uri: str) -> None:
    sources: dict[str, None] = here.own().setdefault(kind, {})
    sources[_source(uri)] = None


@lru_cache(maxsize=256)
def _source(uri: str) -> str:
    """The CSP source for an address: its origin, or the bare scheme of a native app's.

    A policy has no way to name an IPv6 address (CSP Level 3, section 2.3.1), so that a loopback
    one is allowed by its scheme, too.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https") and "[" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def policy() -> str:
    """The content security policy of this response (CSP Level 3)."""
    said = vars(here.own())
    kinds = ("form_targets", "image_sources", "frame_sources")
    rest = _policy(*(tuple(said.get(kind, ())) for kind in kinds), "may_be_framed" in said)
    return f"default-src 'none'; script-src 'self' 'nonce-{csp_nonce()}'; {rest}"


@lru_cache(maxsize=256)
def _policy(
    forms: Sequence[str], images: Sequence[str], frames: Sequence[str], may_be_framed: bool
) -> str:
    """What is the same for every page that allows the same."""
    return "; ".join(
        (
            "style-src 'self'",
            " ".join(["img-src 'self' data:", *images]),
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            *([" ".join(["frame-src", *frames])] if frames else []),
            " ".join(["form-action 'self'", *forms]),
            "frame-ancestors *" if may_be_framed else "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def install(app: Flask, *, secure: bool) -> None:
    """Put the headers on every answer of ``app``; over TLS, also HSTS."""
    framed = named(*_FIXED, *([_TLS] if secure else []))
    fixed = {**framed, **named(_NOT_FRAMED)}
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def finish(response: Response) -> Response:
        own, said = vars(here.own()), {}
        if response.mimetype == "text/html":
            said["content-security-policy"] = "Content-Security-Policy", policy()
        if "request_id" in own:
            said["x-request-id"] = REQUEST_ID, own["request_id"]
        everywhere = framed if "may_be_framed" in own else fixed
        response.beside = {**everywhere, **said, **response.beside}
        return response
