"""/brand.css: the deployment's colours. Pages allow no inline style, so it is a file of its own."""

import hashlib
from typing import Final

from flask import Blueprint, Response, make_response, request, url_for

from idp.config import Settings
from idp.config.colours import for_the_dark, mixed
from idp.web import headers
from idp.web.context import services

bp = Blueprint("brand", __name__)

FRESH: Final = 300
"""Seconds that a browser need not ask again; a change has another address anyhow."""


def stylesheet(settings: Settings) -> str:
    """What differs from app.css; empty where nothing does."""
    light, dark = [], []
    if settings.accent is not None:
        tint = for_the_dark(settings.accent)
        light += [f"--accent:{settings.accent}", f"--accent-strong:{_deeper(settings.accent)}"]
        dark += [f"--accent:{tint}", f"--accent-strong:{mixed(tint, '#ffffff', 0.25)}"]
    if settings.radius is not None:
        light.append(f"--radius:{settings.radius}px")
    rules = f":root{{{';'.join(light)}}}" if light else ""
    if dark:
        rules += f"@media (prefers-color-scheme:dark){{:root{{{';'.join(dark)}}}}}"
    return rules


def marks(settings: Settings) -> dict[str, str | None]:
    """What the frame of every page shows of the brand; its images are allowed on this page."""
    css = stylesheet(settings)
    allow_logos(settings)
    return {
        "logo_url": settings.logo_url,
        "logo_dark_url": settings.logo_dark_url,
        "css_url": url_for("brand.serve", v=_tag(css)) if css else None,
    }


def allow_logos(settings: Settings) -> None:
    """Let this page show the images of the brand, wherever they are."""
    for address in (settings.logo_url, settings.logo_dark_url):
        if address is not None and not address.startswith("/"):  # one of ours
            headers.allow_image(address)


@bp.get("/brand.css")
def serve() -> Response:
    """The stylesheet as it is now."""
    css = stylesheet(services().settings)
    response = make_response(css)
    response.mimetype = "text/css"
    response.set_etag(_tag(css))
    response.headers["Cache-Control"] = f"public, max-age={FRESH}"
    response.make_conditional(request)
    return response


def _deeper(colour: str) -> str:
    return mixed(colour, "#000000", 0.2)


def _tag(css: str) -> str:
    return hashlib.sha256(css.encode()).hexdigest()[:16]
