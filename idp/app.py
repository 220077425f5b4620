"""Puts everything together: the only module that knows everyone."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module

from flask import Blueprint, Flask

from idp import heap, logs, measures
from idp.clock import Clock, SteadyClock, system_clock
from idp.config import ConfigurationError, Settings
from idp.factors import FACTORS
from idp.factors.base import Factor
from idp.models import db
from idp.models.base import engine_options, prepare_engine
from idp.resources import resource_dir
from idp.secrecy import derive_key
from idp.services import methods
from idp.services.demands import unknown_names
from idp.web import (
    access_log,
    account,
    admin,
    api,
    authorization,
    brand,
    browser_hints,
    browser_state,
    context,
    cross_origin,
    demo,
    device,
    errors,
    first_run,
    forms,
    handed,
    headers,
    health,
    i18n,
    link,
    login,
    logout,
    metrics,
    oidc,
    pictures,
    prompt,
    ready,
    register,
    reset,
    signed_out,
    static_files,
    traces,
    well_known,
)
from idp.web.frame import App
from idp.web.proxy import TrustedProxies
from idp.web.routing import LazyRule
from idp.web.services import Services
from idp.web.templates import COMPILED
from idp.worker import Upkeep


def create_app(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    kinds: tuple[type[Factor], ...] = FACTORS,
) -> Flask:
    """The whole program as a WSGI application; ``kinds`` are the factors it knows.

    Touches no database before the first request. Raises ``ConfigurationError`` for settings that
    name an ``acr`` value nobody knows.
    """
    if problems := (*unknown_names(settings), *_no_way_in(settings, kinds)):
        raise ConfigurationError(problems)
    app = App(
        "idp",
        issuer=settings.issuer,
        template_folder=str(resource_dir("templates")),
        static_folder="static",
    )
    app.url_rule_class = LazyRule
    app.jinja_options = {"bytecode_cache": COMPILED}
    app.config.update(_configuration(settings))
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine, limited=True)
    app.extensions["idp"] = Services(settings, clock=clock, kinds=kinds).ready()
    _install_web(app, settings)
    ready.install(app, clock)
    return app


def serving_app(settings: Settings) -> Flask:
    """The same as a process serves it: with its logs, its figures and its upkeep.

    Call it once, in the process that serves, and not in one that forks afterwards.
    """
    heap.share()
    logs.configure(settings.log_level)
    if settings.metrics:  # what is imported for them takes a while
        measures.listen(import_module("idp.exposition").Figures())
    if settings.tracing:
        exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        measures.trace(import_module("idp.tracing").Tracer(exporter.OTLPSpanExporter()))
    app = create_app(settings, clock=SteadyClock())
    heap.loaded()
    Upkeep(app.extensions["idp"], app.app_context).start()
    return app


def _no_way_in(settings: Settings, kinds: tuple[type[Factor], ...]) -> Iterator[str]:
    told = methods.problem(
        kinds,
        refused=settings.refused_methods,
        login_style=settings.login_style,
        mails=settings.mails or not settings.refused_methods,
    )
    if told:
        yield f"refused_methods: {told}"


def _configuration(settings: Settings) -> dict[str, object]:
    keys = derive_key(settings.keys, "flask-session")
    return {
        "SECRET_KEY": keys[0],
        "SECRET_KEY_FALLBACKS": keys[1:],
        "SESSION_COOKIE_NAME": "__Host-idp_form" if settings.secure else "idp_form",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(hours=1),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
    }


def _install_watching(app: Flask) -> None:
    """First, so that nothing happens unseen."""
    app.before_request(context.start)
    access_log.install(app)
    traces.install(app)
    metrics.install(app)


def _install_web(app: Flask, settings: Settings) -> None:
    _install_watching(app)
    browser_state.install(app)
    headers.install(app, secure=settings.secure)
    static_files.install(app)
    cross_origin.install(app, settings)
    i18n.install(app)
    forms.install(app)
    errors.install(app)
    pages = [
        login.bp,
        prompt.bp,
        link.bp,
        reset.bp,
        register.bp,
        first_run.bp,
        handed.bp,
        device.bp,
        signed_out.bp,
        account.bp,
        admin.bp,
        *([demo.bp] if settings.demo else []),
    ]
    for blueprint in (*pages, *_documents()):
        app.register_blueprint(blueprint)
    for blueprint in pages:
        app.before_request_funcs.setdefault(blueprint.name, []).append(forms.guard)
    _trust_proxies(app, settings)


def _documents() -> list[Blueprint]:
    """What is no page: it has no forms of ours to guard."""
    return [
        authorization.bp,
        logout.bp,
        oidc.bp,
        api.bp,
        well_known.bp,
        browser_hints.bp,
        brand.bp,
        pictures.bp,
        health.bp,
        metrics.bp,
    ]


def _trust_proxies(app: Flask, settings: Settings) -> None:
    trusting = TrustedProxies(
        app.wsgi_app,
        settings.trusted_proxies,
        certificate_header=settings.client_certificate_header,
    )
    app.wsgi_app = trusting.__call__  # type: ignore[method-assign]  # Flask's way to wrap it
