"""/admin/clients/<id>/connect: everything the other side has to be told, ready to paste."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, render_template, request, url_for
from flask_babel import lazy_gettext as later

from idp.oidc.capabilities import endpoints_of
from idp.protocol.scopes import SCOPE_NAMES
from idp.services import known_apps
from idp.services.client_listing import ClientInfo
from idp.services.client_secrets import has_secret
from idp.services.clients import SELF_REGISTERED
from idp.services.known_apps import KnownApp
from idp.services.roles import Area
from idp.web.admin.blueprint import bp
from idp.web.admin.clients import fresh
from idp.web.admin.clients.common import USUAL, client_page, wanted
from idp.web.admin.guard import console
from idp.web.answers import redirect_to
from idp.web.context import services


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of configuration: the template ``admin/snippets/<name>.txt``, and for what it is."""

    name: str
    label: Any
    public: bool = False
    """Does it go without a secret, too?"""


SNIPPETS: Final = (
    Snippet("env", later("Environment (.env)"), public=True),
    Snippet("compose", later("Docker Compose"), public=True),
    Snippet("flask", "Flask + Authlib"),
    Snippet("django", "Django (mozilla-django-oidc)"),
    Snippet("express", "Express (openid-client)"),
    Snippet("spring", "Spring Boot"),
    Snippet("grafana", "Grafana"),
    Snippet("gitlab", "GitLab"),
    Snippet("nextcloud", "Nextcloud"),
    Snippet("proxmox", "Proxmox VE"),
    Snippet("oauth2_proxy", "oauth2-proxy"),
    Snippet("kubernetes", "Kubernetes API server", public=True),
)


@bp.get("/clients/<path:client_id>/connect")
@console(Area.CLIENTS)
def client_connect(client_id: str) -> Response:
    """Issuer, ids, a secret that was just made, and configuration."""
    info = wanted(client_id)
    secret = fresh.secret_of(client_id)
    issuer = services().settings.issuer
    app = _app(info)
    return client_page(
        "connect",
        info,
        tab="admin.client_connect",
        issuer=issuer,
        discovery=f"{issuer}/.well-known/openid-configuration",
        secret=secret,
        has_secret=has_secret(info.metadata),
        app=app,
        third=request.args.get("step") == "3",
        snippets=[] if info.metadata.redirect_uris == () else _snippets(info, secret, app),
        device=info.metadata.redirect_uris == (),
    )


def _app(info: ClientInfo) -> KnownApp | None:
    """The known application that it was registered as; what registers itself may call itself so."""
    itself = info.managed_by == SELF_REGISTERED
    return None if itself else known_apps.marked(info.metadata.software_id)


def _snippets(info: ClientInfo, secret: str | None, app: KnownApp | None) -> list[dict[str, Any]]:
    """That of the application first, where there is one."""
    first = app.key.replace("-", "_") if app else ""
    values = _values(info, secret)
    with_secret = has_secret(info.metadata)
    return [
        {
            "name": one.name,
            "label": one.label,
            "text": render_template(f"admin/snippets/{one.name}.txt", **values).strip(),
        }
        for one in sorted(SNIPPETS, key=lambda one: one.name != first)
        if with_secret or one.public
    ]


def _values(info: ClientInfo, secret: str | None) -> dict[str, Any]:
    issuer, redirect = services().settings.issuer, info.metadata.redirect_uris[0]
    endpoints = endpoints_of(services().settings)
    parts = urlsplit(redirect)
    return {
        "issuer": issuer,
        "client_id": info.id,
        "secret": (secret or "<the client secret>") if has_secret(info.metadata) else None,
        "redirect_uri": redirect,
        "home": f"{parts.scheme}://{parts.netloc}",
        "scope": " ".join(_scopes(info)),
        "authorize": issuer + endpoints.authorization,
        "token": issuer + endpoints.token,
        "userinfo": issuer + endpoints.userinfo,
        "jwks": issuer + endpoints.jwks,
        "provider": services().settings.site_name,
    }


def _scopes(info: ClientInfo) -> tuple[str, ...]:
    """As registered; of one that may ask for all that there is, what is usual."""
    scope = info.metadata.scope
    return USUAL if scope == SCOPE_NAMES else scope


@bp.post("/clients/<path:client_id>/connect/stored")
@console(Area.CLIENTS)
def client_secret_stored(client_id: str) -> Response:
    """The secret is where it belongs: it is not shown again."""
    info = wanted(client_id)
    fresh.forget(info.id)
    return redirect_to(url_for("admin.client_connect", client_id=info.id))
