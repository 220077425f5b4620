"""Which language a page is in, and what every template may say."""

from typing import Any

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale

from idp.web import brand, forms
from idp.web.context import services

LANGUAGES = ("en",)


def _select() -> str | None:
    if not has_request_context():
        return None  # the command speaks as the catalogue does that is there without a browser
    wanted = request.args.get("ui_locales", "").split()
    return next((tag for tag in wanted if tag in LANGUAGES), None) or (
        request.accept_languages.best_match(LANGUAGES)
    )


def language() -> str:
    """Which of them this request is answered in; where there is one, that."""
    return LANGUAGES[0] if len(LANGUAGES) == 1 else str(get_locale())


def _everywhere() -> dict[str, Any]:
    locale, settings = get_locale(), services().settings
    return {
        "site": {
            "name": settings.site_name,
            **brand.marks(settings),
            "help_url": settings.help_url,
            "privacy_url": settings.privacy_url,
            "terms_url": settings.terms_url,
        },
        "locale": locale.language if locale else "en",
        # Were these of the request, they would have to be in the key of a skeleton.
        "locales": [],
        "csrf_token": forms.token,
        "now": g.get("now"),
    }


def install(app: Flask) -> None:
    """Translations and the context every template stands in."""
    Babel(app, locale_selector=_select)
    app.context_processor(_everywhere)
