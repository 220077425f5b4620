"""The authorization request: from parameters to one frozen value, in two stages.

1. ``identify`` and ``reply_to``: who asks, and where an answer may go. What fails here is shown
   on our own page and never redirected.
2. ``parse_authorization_request``: everything else. What fails here is answered to the client.

A request object (RFC 9101) or a pushed request (RFC 9126) is resolved between the two: whoever
does it replaces the parameters and drops ``request`` and ``request_uri`` from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from idp.frozen import made_often
from idp.protocol import authorization_checks as checks
from idp.protocol.capabilities import DEFAULT, Capabilities
from idp.protocol.claims import ClaimsRequest
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.json_values import Json
from idp.protocol.parameters import Parameters
from idp.protocol.redirect_uris import is_registered
from idp.protocol.resources import read_resource
from idp.protocol.responses import ReplyTo
from idp.protocol.vocabulary import Prompt, default_response_mode, response_type_named


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that may be acted on: every field is checked against the client and ourselves.

    ``max_age`` is in seconds; ``None`` means that it was absent, which is not zero (OIDC Core
    3.1.2.1). ``login_hint`` and ``id_token_hint`` are as they came: neither is believed here.
    """

    client_id: str
    redirect_uri: str
    response_type: str
    response_mode: str
    scopes: tuple[str, ...] = ()
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    dpop_jkt: str | None = None
    prompts: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    claims: ClaimsRequest = ClaimsRequest()  # noqa: RUF009  frozen, so it may be shared
    login_hint: str | None = None
    id_token_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    claims_locales: tuple[str, ...] = ()
    display: str | None = None
    resource: tuple[str, ...] = ()
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    parameters: Parameters = Parameters.of(())  # noqa: RUF009  the same

    @property
    def reply_to(self) -> ReplyTo:
        """Where the answer goes, whatever it will be."""
        return ReplyTo(redirect_uri=self.redirect_uri, mode=self.response_mode, state=self.state)

    @property
    def is_openid(self) -> bool:
        """Whether an ID token is due; without ``openid`` this is plain OAuth 2.0."""
        return "openid" in self.scopes

    @property
    def names_subject(self) -> bool:
        """Whether one person is asked for, by ``id_token_hint`` or by a ``sub`` that is claimed."""
        return self.id_token_hint is not None or self.claims.subject is not None

    @property
    def concerns(self) -> tuple[str, ...]:
        """What the person has to allow: the scopes, and those of claims asked for by name.

        OIDC Core 5.5: either way the application learns the same of her.
        """
        return tuple(dict.fromkeys((*self.scopes, *self.claims.scopes)))

    @property
    def wants_code(self) -> bool:
        """Whether a code comes back from the authorization endpoint."""
        return "code" in self.response_type.split()

    @property
    def wants_id_token(self) -> bool:
        """Whether an ID token comes back from the authorization endpoint itself."""
        return "id_token" in self.response_type.split()

    @property
    def wants_token(self) -> bool:
        """Whether an access token comes back from the authorization endpoint itself."""
        return "token" in self.response_type.split()


def identify(parameters: Parameters) -> str:
    """The ``client_id`` that the request names.

    Raises ``OAuthError``, never redirectable, when it is missing, repeated or malformed, or when
    the whole request is too large to look at.
    """
    parameters.check_size()
    return _own_page_value(parameters, "client_id")


def reply_to(
    parameters: Parameters, metadata: ClientMetadata, capabilities: Capabilities = DEFAULT
) -> ReplyTo:
    """Where an answer to this request may go, even when the rest of it is wrong.

    Raises ``OAuthError``, never redirectable, when ``redirect_uri`` is missing, repeated or not
    one that the client registered. A response mode that cannot be had falls back to the default
    of the response type; a ``state`` that is repeated or malformed is not sent back.
    """
    redirect_uri = _own_page_value(parameters, "redirect_uri")
    check_registered(redirect_uri, metadata)
    return ReplyTo(
        redirect_uri=redirect_uri,
        mode=_reply_mode(parameters, capabilities),
        state=parameters.clean("state"),
    )


def check_registered(redirect_uri: str, metadata: ClientMetadata) -> None:
    """Raise ``OAuthError``, not redirectable, unless it is an address of this client's."""
    if not is_registered(redirect_uri, metadata.redirect_uris):
        raise not_redirectable(
            "invalid_request", "redirect_uri is not one that this client registered."
        )


def parse_authorization_request(
    parameters: Parameters,
    metadata: ClientMetadata,
    capabilities: Capabilities = DEFAULT,
    *,
    pushed: bool = False,
    signed: bool = False,
) -> AuthorizationRequest:
    """Check everything and return the request as one value.

    ``pushed`` and ``signed`` say how the parameters reached us: through the pushed authorization
    request endpoint, in a signature that was verified.

    Raises ``OAuthError``: not redirectable as in ``identify`` and ``reply_to``, else redirectable
    with the code that the clause at each check names.
    """
    client_id = identify(parameters)
    reply = reply_to(parameters, metadata, capabilities)
    parameters.check_form()
    checks.refuse_request_objects(parameters)
    checks.check_transport(metadata, pushed=pushed, signed=signed)
    response_type = checks.read_response_type(parameters, metadata, capabilities)
    response_mode = checks.read_response_mode(parameters, metadata, capabilities, response_type)
    scopes = checks.read_scopes(parameters, metadata, capabilities, response_type)
    claims = checks.read_claims(parameters, metadata)
    return AuthorizationRequest(
        client_id=client_id,
        redirect_uri=reply.redirect_uri,
        response_type=response_type,
        response_mode=response_mode,
        scopes=scopes,
        **_own(parameters, metadata, response_type),
        prompts=checks.read_prompts(parameters, capabilities),
        max_age=checks.read_max_age(parameters),
        acr_values=checks.read_words(parameters, "acr_values"),
        claims=claims,
        ui_locales=checks.read_locales(parameters, "ui_locales"),
        claims_locales=checks.read_locales(parameters, "claims_locales"),
        display=checks.read_display(parameters),
        resource=read_resource(parameters, metadata.allowed_resources),
        authorization_details=checks.read_authorization_details(parameters, metadata, capabilities),
        parameters=parameters,
    )


def parse_alike(
    shared: Mapping[str, Any], parameters: Parameters, metadata: ClientMetadata
) -> AuthorizationRequest:
    """The same for a request that differs from one before it in nothing but ``OWN``.

    ``shared`` is what ``shared_of`` says of that one, which came in the same way, when the
    registration and the capabilities were the same.
    """
    parameters.check_form()
    own = _own(parameters, metadata, shared["response_type"])
    return AuthorizationRequest(**shared, **own, parameters=parameters)


def shared_of(request: AuthorizationRequest) -> Mapping[str, Any]:
    """The fields that requests share which are alike."""
    names = [one.name for one in fields(request) if one.name not in OWN]
    return {name: getattr(request, name) for name in names if name != "parameters"}


def _own(parameters: Parameters, metadata: ClientMetadata, response_type: str) -> dict[str, Any]:
    return {
        "state": parameters.get("state"),
        "nonce": checks.read_nonce(parameters, response_type),
        "code_challenge": checks.read_code_challenge(parameters, metadata, response_type),
        "dpop_jkt": checks.read_dpop_jkt(parameters, response_type),
        "login_hint": parameters.get("login_hint"),
        "id_token_hint": parameters.get("id_token_hint"),
    }


OWN: Final = frozenset(
    {"state", "nonce", "code_challenge", "dpop_jkt", "login_hint", "id_token_hint"}
)
"""The parameters, and fields, in which requests differ that are alike otherwise."""


def _own_page_value(parameters: Parameters, name: str) -> str:
    value = parameters.clean(name)
    if value is not None:
        return value
    if len(parameters.values.get(name, ())) > 1:
        problem = "was sent more than once"
    else:
        problem = "is malformed" if parameters.all(name) else "is missing"
    raise not_redirectable("invalid_request", f"{name} {problem}.")


def _reply_mode(parameters: Parameters, capabilities: Capabilities) -> str:
    response_type = response_type_named(parameters.clean("response_type") or "")
    asked = parameters.clean("response_mode")
    try:
        return checks.usable_response_mode(asked, response_type, capabilities)
    except OAuthError:
        return default_response_mode(response_type)
