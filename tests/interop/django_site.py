"""A Django project with mozilla-django-oidc, all in one module: ``python -m … PORT``.

The environment says who it is to the provider: ``RP_ISSUER``, ``RP_ID``, ``RP_SECRET``,
``RP_ALGORITHM``.
"""

import os
import sys
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

PORT = int(sys.argv[1])
ISSUER = os.environ["RP_ISSUER"]

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    SECRET_KEY="worth nothing",
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    AUTHENTICATION_BACKENDS=[f"{__name__}.Backend"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGIN_URL="/oidc/authenticate/",
    LOGIN_REDIRECT_URL_FAILURE="/failed",
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/oauth/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/oauth/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/oauth/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/oauth/jwks",
    OIDC_RP_CLIENT_ID=os.environ["RP_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["RP_SECRET"],
    OIDC_RP_SIGN_ALGO=os.environ["RP_ALGORITHM"],
    OIDC_RP_SCOPES="openid email profile",
    OIDC_TOKEN_USE_BASIC_AUTH=True,
    OIDC_USE_PKCE=True,
    # The library asks silently (prompt=none) again and again: each page counts as expired.
    OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS=0,
    OIDC_EXEMPT_URLS=["/claims", "/failed", "/healthz"],
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402  needs the settings above
from django.core.servers.basehttp import run  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class Backend(OIDCAuthenticationBackend):  # type: ignore[misc]  # the library is not typed
    """The library's own, with what it verified kept for a look."""

    def verify_token(self, token: str, **kwargs: Any) -> Any:
        payload = super().verify_token(token, **kwargs)
        verified = self.request.session.get("verified", [])
        self.request.session["verified"] = [*verified, payload]
        return payload

    def create_user(self, claims: dict[str, Any]) -> Any:
        user = super().create_user(claims)
        user.first_name = claims["given_name"]
        user.save()
        return user


def claims(request: HttpRequest) -> HttpResponse:
    """Who is signed in, and every ID token that was accepted on the way."""
    user = request.user
    person = {"email": user.email, "first_name": user.first_name}
    return JsonResponse({"user": person, "verified": request.session.get("verified", [])})


def ok(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def failed(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("failed", status=403)


@login_required
def members(request: HttpRequest) -> HttpResponse:
    """Needs a sign-in, and a fresh look at the provider each time."""
    return claims(request)


urlpatterns = [
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("claims", login_required(claims)),
    path("members", members),
    path("failed", failed),
    path("healthz", ok),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0, interactive=False)
    run("127.0.0.1", PORT, get_wsgi_application(), threading=True)
