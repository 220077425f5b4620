"""An authorization request: what is accepted, and the exact answer to everything else."""

import dataclasses
import json
from typing import Any

import pytest

from idp.protocol.authorization import (
    AuthorizationRequest,
    identify,
    parse_authorization_request,
    reply_to,
)
from idp.protocol.capabilities import Capabilities
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.registration import parse_client_metadata
from idp.protocol.vocabulary import MAX_AGE_CEILING, RESPONSE_TYPES, Prompt

CALLBACK = "https://app.example/cb"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

GOOD = {
    "client_id": "shop",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "abc",
    "nonce": "n-0S6_WzA2Mj",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}

EVERYTHING = Capabilities(
    response_types=RESPONSE_TYPES,
    grant_types=("authorization_code", "implicit", "refresh_token"),
    authorization_details_types=("confirm_operation", "payment"),
)


def client(**members: object) -> ClientMetadata:
    return parse_client_metadata({"redirect_uris": [CALLBACK], **members})


CODE_CLIENT = client()
EVERY_FLOW = client(
    response_types=list(RESPONSE_TYPES),
    grant_types=["authorization_code", "implicit", "refresh_token"],
)


def request(**changes: str | None) -> Parameters:
    """The good request with ``changes``; ``None`` leaves a parameter out."""
    changed: dict[str, str | None] = {**GOOD, **changes}
    return Parameters.of((name, value) for name, value in changed.items() if value is not None)


def parse(metadata: ClientMetadata = CODE_CLIENT, **changes: str | None) -> AuthorizationRequest:
    return parse_authorization_request(request(**changes), metadata, EVERYTHING)


def refusal(
    metadata: ClientMetadata = CODE_CLIENT, parameters: Parameters | None = None, **changes
) -> OAuthError:
    with pytest.raises(OAuthError) as refused:
        parse_authorization_request(parameters or request(**changes), metadata, EVERYTHING)
    return refused.value


def table(cases):
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


class TestAGoodRequest:
    def test_becomes_one_value(self):
        parsed = parse(
            prompt="login consent",
            max_age="600",
            login_hint="alice@example.com",
            id_token_hint="a.b.c",
            ui_locales="de-AT se",
            acr_values="phr urn:idp:acr:mfa phr",
            display="popup",
            claims='{"id_token": {"acr": {"essential": true, "value": "phr"}}}',
        )
        assert parsed.client_id == "shop"
        assert parsed.redirect_uri == CALLBACK
        assert parsed.response_type == "code"
        assert parsed.response_mode == "query"
        assert parsed.scopes == ("openid", "profile")
        assert parsed.state == "abc"
        assert parsed.nonce == GOOD["nonce"]
        assert parsed.code_challenge == CHALLENGE
        assert parsed.prompts == {Prompt.LOGIN, Prompt.CONSENT}
        assert parsed.max_age == 600
        assert parsed.login_hint == "alice@example.com"
        assert parsed.id_token_hint == "a.b.c"
        assert parsed.ui_locales == ("de-AT", "se")
        assert parsed.acr_values == ("phr", "urn:idp:acr:mfa")
        assert parsed.display == "popup"
        assert parsed.claims.acr_values == ("phr",)
        assert parsed.parameters.get("state") == "abc"

    def test_cannot_be_changed_afterwards(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            parse().max_age = 0  # type: ignore[misc]

    def test_says_where_the_answer_goes(self):
        to = parse().reply_to
        assert (to.redirect_uri, to.mode, to.state) == (CALLBACK, "query", "abc")

    def test_may_do_without_state_and_nonce(self):
        parsed = parse(state=None, nonce=None)
        assert parsed.state is None
        assert parsed.nonce is None

    def test_may_carry_parameters_that_nobody_knows(self):
        assert parse(utm_source="newsletter").parameters.get("utm_source") == "newsletter"

    def test_may_come_from_any_port_of_a_loopback_address(self):
        native = client(
            redirect_uris=["http://127.0.0.1/cb"],
            application_type="native",
            token_endpoint_auth_method="none",
        )
        sent = "http://127.0.0.1:53211/cb"
        assert parse(native, redirect_uri=sent).redirect_uri == sent

    def test_survives_being_stored_and_parsed_again(self):
        first = parse(max_age="0", resource="https://api.example/")
        stored = Parameters.from_json(json.loads(json.dumps(first.parameters.to_json())))
        assert parse_authorization_request(stored, CODE_CLIENT, EVERYTHING) == first


class TestWhatIsShownOnOurOwnPage:
    @pytest.mark.parametrize(
        "changes",
        table(
            [
                ("no client", {"client_id": None}),
                ("an empty client", {"client_id": ""}),
                ("a client that is too long", {"client_id": "c" * 256}),
                ("a client with a NUL", {"client_id": "shop\x00"}),
                ("no redirect address", {"redirect_uri": None}),
                ("an empty redirect address", {"redirect_uri": ""}),
                ("an unregistered redirect address", {"redirect_uri": "https://evil.example/"}),
                ("a path appended to it", {"redirect_uri": f"{CALLBACK}/x"}),
                ("a query appended to it", {"redirect_uri": f"{CALLBACK}?x=y"}),
                ("a redirect address with a line end", {"redirect_uri": f"{CALLBACK}\n"}),
            ]
        ),
    )
    def test_is_never_redirected(self, changes):
        error = refusal(**changes)
        assert error.error == "invalid_request"
        assert not error.redirectable

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
    @pytest.mark.parametrize("again", ["the same", "another", "empty"])
    def test_a_repeated_client_or_address_is_not_redirected(self, name, again):
        value = {"the same": GOOD[name], "another": "https://evil.example/", "empty": ""}[again]
        error = refusal(parameters=Parameters.of([*GOOD.items(), (name, value)]))
        assert not error.redirectable
        assert "more than once" in error.description

    def test_a_client_with_no_address_is_never_redirected(self):
        machine = client(redirect_uris=[], grant_types=["client_credentials"])
        assert not refusal(machine).redirectable

    def test_a_request_that_is_too_large_is_not_redirected(self):
        many = Parameters.of([*GOOD.items(), *((f"p{n}", "x") for n in range(200))])
        assert not refusal(parameters=many).redirectable

    def test_the_client_is_known_before_anything_else_is_right(self):
        assert identify(Parameters.of([("client_id", "shop"), ("state", "\x00")])) == "shop"

    def test_another_fault_does_not_hide_a_wrong_address(self):
        error = refusal(redirect_uri="https://evil.example/", response_type="bogus", request="x")
        assert not error.redirectable


class TestWhatIsAnsweredToTheClient:
    @pytest.mark.parametrize(
        ("changes", "code"),
        table(
            [
                ("response_type missing", {"response_type": None}, "invalid_request"),
                ("response_type empty", {"response_type": ""}, "invalid_request"),
                ("an unknown response_type", {"response_type": "x"}, "unsupported_response_type"),
                ("a known word twice", {"response_type": "code code"}, "unsupported_response_type"),
                (
                    "a known word and another",
                    {"response_type": "code x"},
                    "unsupported_response_type",
                ),
                ("other letters", {"response_type": "CODE"}, "unsupported_response_type"),
                (
                    "a response_type the client has not registered",
                    {"response_type": "id_token"},
                    "unauthorized_client",
                ),
                ("an unknown response_mode", {"response_mode": "smoke"}, "invalid_request"),
                ("a mode of later days", {"response_mode": "web_message"}, "invalid_request"),
                ("no code_challenge", {"code_challenge": None}, "invalid_request"),
                (
                    "no PKCE at all",
                    {"code_challenge": None, "code_challenge_method": None},
                    "invalid_request",
                ),
                ("no method, so plain", {"code_challenge_method": None}, "invalid_request"),
                ("the method plain", {"code_challenge_method": "plain"}, "invalid_request"),
                ("an unknown method", {"code_challenge_method": "S512"}, "invalid_request"),
                ("a method in other letters", {"code_challenge_method": "s256"}, "invalid_request"),
                ("a short challenge", {"code_challenge": "a" * 42}, "invalid_request"),
                ("a long challenge", {"code_challenge": "a" * 44}, "invalid_request"),
                ("a challenge with padding", {"code_challenge": "a" * 42 + "="}, "invalid_request"),
                ("an unknown prompt", {"prompt": "bogus"}, "invalid_request"),
                ("an unknown prompt beside a known", {"prompt": "login bogus"}, "invalid_request"),
                ("a prompt in other letters", {"prompt": "Login"}, "invalid_request"),
                ("prompt none with login", {"prompt": "none login"}, "invalid_request"),
                ("prompt none with consent", {"prompt": "consent none"}, "invalid_request"),
                ("prompt none with create", {"prompt": "none create"}, "invalid_request"),
                ("a negative max_age", {"max_age": "-1"}, "invalid_request"),
                ("a max_age in words", {"max_age": "ten"}, "invalid_request"),
                ("a max_age with a fraction", {"max_age": "1.5"}, "invalid_request"),
                ("a max_age with a sign", {"max_age": "+1"}, "invalid_request"),
                ("a max_age with a space", {"max_age": " 1"}, "invalid_request"),
                ("a max_age with an underscore", {"max_age": "1_0"}, "invalid_request"),
                ("a max_age in other digits", {"max_age": "٣"}, "invalid_request"),
                ("a max_age in hexadecimal", {"max_age": "0x10"}, "invalid_request"),
                ("a scope that is no scope", {"scope": "openid ä"}, "invalid_scope"),
                ("claims that are no JSON", {"claims": "{"}, "invalid_request"),
                ("claims of the wrong shape", {"claims": '{"id_token": 1}'}, "invalid_request"),
                ("a request object", {"request": "a.b.c"}, "request_not_supported"),
                ("a request_uri", {"request_uri": "urn:x"}, "request_uri_not_supported"),
                ("both of them", {"request": "a.b.c", "request_uri": "urn:x"}, "invalid_request"),
                ("a registration", {"registration": "{}"}, "registration_not_supported"),
                ("a state with a NUL", {"state": "a\x00"}, "invalid_request"),
                ("a state over 4 kB", {"state": "s" * 4097}, "invalid_request"),
                ("a nonce over 1 kB", {"nonce": "n" * 1025}, "invalid_request"),
                ("a nonce with a line end", {"nonce": "n\r\n"}, "invalid_request"),
                ("a login_hint with an escape", {"login_hint": "\x1b[2J"}, "invalid_request"),
                ("an unknown parameter with a NUL", {"foo": "\x00"}, "invalid_request"),
                ("a resource that is no URI", {"resource": "api"}, "invalid_target"),
                ("a resource with a fragment", {"resource": "https://a/#x"}, "invalid_target"),
                ("33 acr_values", {"acr_values": " ".join(map(str, range(33)))}, "invalid_request"),
            ]
        ),
    )
    def test_with_its_code(self, changes, code):
        error = refusal(**changes)
        assert error.error == code
        assert error.redirectable

    @pytest.mark.parametrize(
        "name",
        [
            *("response_type", "scope", "state", "nonce", "prompt", "max_age", "claims"),
            *("code_challenge", "code_challenge_method", "acr_values", "response_mode", "foo"),
        ],
    )
    def test_a_repeated_parameter_is_an_invalid_request(self, name):
        pairs = [(name, GOOD.get(name, "x")), *GOOD.items()]
        error = refusal(parameters=Parameters.of([*pairs, (name, GOOD.get(name, "x"))]))
        assert error.error == "invalid_request"
        assert error.redirectable
        assert "more than once" in error.description

    def test_too_many_resources_are_an_invalid_target(self):
        resources = [("resource", f"https://api.example/{n}") for n in range(17)]
        assert (
            refusal(parameters=Parameters.of([*GOOD.items(), *resources])).error == "invalid_target"
        )


class TestScopes:
    def test_one_that_nobody_knows_is_ignored(self):
        assert parse(scope="openid telepathy").scopes == ("openid",)

    def test_one_that_we_know_and_the_client_may_not_have_is_refused(self):
        error = refusal(client(scope="openid email"), scope="openid groups")
        assert error.error == "invalid_scope"

    def test_one_that_only_the_client_registered_is_kept(self):
        assert parse(client(scope="openid orders:read"), scope="openid orders:read").scopes == (
            "openid",
            "orders:read",
        )

    def test_one_that_the_deployment_knows_is_refused_to_a_client_without_it(self):
        capabilities = Capabilities(scopes=("openid", "orders:read"))
        with pytest.raises(OAuthError, match="invalid_scope"):
            parse_authorization_request(
                request(scope="openid orders:read"), client(scope="openid"), capabilities
            )

    @pytest.mark.parametrize("scope", [None, "", "email", "telepathy"])
    def test_without_openid_it_is_plain_oauth(self, scope):
        assert not parse(scope=scope).is_openid
        assert parse().is_openid

    def test_order_does_not_matter_and_is_kept(self):
        assert parse(scope="email openid").scopes == ("email", "openid")

    def test_offline_access_is_for_those_who_can_refresh(self):
        asked: dict[str, Any] = {"scope": "openid offline_access"}
        assert parse(**asked).scopes == ("openid",)
        able = client(grant_types=["authorization_code", "refresh_token"])
        assert parse(able, **asked).scopes == ("openid", "offline_access")

    def test_offline_access_is_ignored_where_no_code_results(self):
        asked = {"scope": "openid offline_access", "response_type": "id_token"}
        assert parse(EVERY_FLOW, **asked).scopes == ("openid",)


class TestResponseTypesAndModes:
    @pytest.mark.parametrize(
        ("sent", "named", "mode"),
        table(
            [
                ("code", "code", "code", "query"),
                ("token", "token", "token", "fragment"),
                ("id_token", "id_token", "id_token", "fragment"),
                ("words turned", "token id_token", "id_token token", "fragment"),
                ("hybrid turned", "id_token code", "code id_token", "fragment"),
                ("code token", "code token", "code token", "fragment"),
                ("all three", "token code id_token", "code id_token token", "fragment"),
                ("none", "none", "none", "query"),
            ]
        ),
    )
    def test_the_usual_spelling_and_the_default_mode(self, sent, named, mode):
        parsed = parse(EVERY_FLOW, response_type=sent)
        assert (parsed.response_type, parsed.response_mode) == (named, mode)
        assert parsed.wants_code == ("code" in sent.split())
        assert parsed.wants_token == ("token" in sent.split())
        assert parsed.wants_id_token == ("id_token" in sent.split())

    @pytest.mark.parametrize("response_type", RESPONSE_TYPES)
    @pytest.mark.parametrize("mode", ["fragment", "form_post"])
    def test_fragment_and_form_post_suit_every_type(self, response_type, mode):
        parsed = parse(EVERY_FLOW, response_type=response_type, response_mode=mode)
        assert parsed.response_mode == mode

    @pytest.mark.parametrize(
        "response_type", [name for name in RESPONSE_TYPES if name not in ("code", "none")]
    )
    def test_query_never_carries_a_token(self, response_type):
        changes: dict[str, Any] = {"response_type": response_type, "response_mode": "query"}
        assert refusal(EVERY_FLOW, **changes).error == "invalid_request"
        to = reply_to(request(**changes), EVERY_FLOW, EVERYTHING)
        assert to.mode == "fragment"

    @pytest.mark.parametrize(
        ("response_type", "asked", "mode"),
        table(
            [
                ("a code, signed", "code", "jwt", "query.jwt"),
                ("a token, signed", "id_token token", "jwt", "fragment.jwt"),
                ("a code in the fragment, signed", "code", "fragment.jwt", "fragment.jwt"),
                ("posted and signed", "code id_token", "form_post.jwt", "form_post.jwt"),
            ]
        ),
    )
    def test_the_signed_modes_are_named_in_full(self, response_type, asked, mode):
        parsed = parse(EVERY_FLOW, response_type=response_type, response_mode=asked)
        assert parsed.response_mode == mode

    def test_a_signed_query_carries_no_token_either(self):
        changes: dict[str, Any] = {"response_type": "id_token", "response_mode": "query.jwt"}
        assert refusal(EVERY_FLOW, **changes).error == "invalid_request"

    def test_a_type_that_the_deployment_does_not_offer_is_unsupported(self):
        with pytest.raises(OAuthError, match="unsupported_response_type"):
            parse_authorization_request(request(response_type="id_token"), EVERY_FLOW)

    def test_a_grant_is_not_enough_without_the_type_registered(self):
        narrow = client(
            response_types=["code", "id_token"], grant_types=["authorization_code", "implicit"]
        )
        assert parse(narrow, response_type="id_token").response_type == "id_token"
        for unregistered in ("id_token token", "code id_token", "token"):
            error = refusal(narrow, response_type=unregistered)
            assert error.error == "unauthorized_client"

    @pytest.mark.parametrize(
        ("response_type", "needed"),
        [
            *[("id_token", True), ("id_token token", True), ("code id_token", True)],
            *[("code id_token token", True), ("code", False), ("code token", False)],
        ],
    )
    def test_a_nonce_is_needed_where_an_id_token_comes_at_once(self, response_type, needed):
        changes: dict[str, Any] = {"response_type": response_type, "nonce": None}
        if needed:
            assert refusal(EVERY_FLOW, **changes).error == "invalid_request"
            assert reply_to(request(**changes), EVERY_FLOW, EVERYTHING).mode == "fragment"
        else:
            assert parse(EVERY_FLOW, **changes).nonce is None

    def test_an_id_token_at_once_needs_the_scope_openid(self):
        error = refusal(EVERY_FLOW, response_type="id_token", scope="email")
        assert error.error == "invalid_scope"


class TestPkce:
    def test_is_not_for_types_without_a_code(self):
        parsed = parse(
            EVERY_FLOW, response_type="id_token", code_challenge=None, code_challenge_method=None
        )
        assert parsed.code_challenge is None

    def test_may_be_left_out_by_a_client_registered_so(self):
        lax = client(require_pkce=False)
        assert parse(lax, code_challenge=None, code_challenge_method=None).code_challenge is None

    def test_is_checked_when_such_a_client_sends_it(self):
        lax = client(require_pkce=False)
        assert parse(lax).code_challenge == CHALLENGE
        assert refusal(lax, code_challenge_method="plain").error == "invalid_request"
        assert refusal(lax, code_challenge_method=None).error == "invalid_request"
        assert refusal(lax, code_challenge="short").error == "invalid_request"

    def test_a_method_alone_is_refused_even_to_such_a_client(self):
        assert refusal(client(require_pkce=False), code_challenge=None).error == "invalid_request"

    def test_is_always_required_of_a_public_client(self):
        public = dataclasses.replace(client(token_endpoint_auth_method="none"), require_pkce=False)
        error = refusal(public, code_challenge=None, code_challenge_method=None)
        assert error.error == "invalid_request"

    def test_is_required_of_hybrid_types_too(self):
        error = refusal(
            EVERY_FLOW,
            response_type="code id_token",
            code_challenge=None,
            code_challenge_method=None,
        )
        assert error.error == "invalid_request"


class TestPromptAndAge:
    @pytest.mark.parametrize("prompt", list(Prompt))
    def test_each_prompt_alone(self, prompt):
        assert parse(prompt=prompt.value).prompts == {prompt}

    def test_prompts_that_go_together(self):
        asked = "login consent select_account create"
        assert parse(prompt=asked).prompts == set(Prompt) - {Prompt.NONE}

    def test_a_prompt_that_the_deployment_does_not_offer_is_refused(self):
        with pytest.raises(OAuthError, match="invalid_request"):
            parse_authorization_request(
                request(prompt="create"), CODE_CLIENT, Capabilities(prompts=("none", "login"))
            )

    @pytest.mark.parametrize(
        ("sent", "seconds"),
        table(
            [
                ("absent is not zero", None, None),
                ("empty is absent", "", None),
                ("zero", "0", 0),
                ("leading zeros", "007", 7),
                ("an hour", "3600", 3600),
                ("more than a century", "9" * 1000, MAX_AGE_CEILING),
            ]
        ),
    )
    def test_max_age(self, sent, seconds):
        assert parse(max_age=sent).max_age == seconds


class TestWhatIsNeverAnError:
    @pytest.mark.parametrize(
        "changes",
        table(
            [
                ("a display nobody defined", {"display": "hologram"}),
                ("a locale we do not speak", {"ui_locales": "se", "claims_locales": "se"}),
                ("a locale that is none", {"ui_locales": "!!! de_AT"}),
                ("a login_hint of any kind", {"login_hint": "<script>"}),
                ("an id_token_hint of any kind", {"id_token_hint": "not.a.token"}),
                ("an empty parameter", {"max_age": "", "prompt": "", "claims": "", "display": ""}),
            ]
        ),
    )
    def test_is_ignored_or_kept(self, changes):
        assert parse(**changes).display is None

    def test_locales_that_are_none_are_dropped(self):
        assert parse(ui_locales="!!! de_AT de").ui_locales == ("de",)


class TestClaimsAndResources:
    def test_claims_of_a_scope_the_client_may_not_have_are_left_out(self):
        asked = json.dumps({"userinfo": {"groups": None, "email": None}})
        parsed = parse(client(scope="openid email"), scope="openid", claims=asked)
        assert list(parsed.claims.userinfo) == ["email"]

    def test_a_resource_may_be_repeated(self):
        resources = ["https://api.example/", "urn:example:api", "https://api.example/"]
        pairs = [*GOOD.items(), *(("resource", uri) for uri in resources)]
        parsed = parse_authorization_request(Parameters.of(pairs), CODE_CLIENT)
        assert parsed.resource == ("https://api.example/", "urn:example:api")


class TestAuthorizationDetails:
    def test_objects_of_a_supported_type_are_kept(self):
        [detail] = parse(
            authorization_details='[{"type": "confirm_operation", "title": "Pay"}]'
        ).authorization_details
        assert detail == {"type": "confirm_operation", "title": "Pay"}

    @pytest.mark.parametrize(
        "text",
        table(
            [
                ("not JSON", "["),
                ("an object", '{"type": "confirm_operation"}'),
                ("an empty array", "[]"),
                ("text in the array", '["confirm_operation"]'),
                ("no type", '[{"title": "Pay"}]'),
                ("an unknown type", '[{"type": "teleport"}]'),
                ("one of two unknown", '[{"type": "confirm_operation"}, {"type": "x"}]'),
                ("a type that is no text", '[{"type": ["confirm_operation"]}]'),
            ]
        ),
    )
    def test_anything_else_is_refused_by_its_own_code(self, text):
        error = refusal(authorization_details=text)
        assert error.error == "invalid_authorization_details"

    def test_none_is_supported_unless_the_deployment_says_so(self):
        sent = request(authorization_details='[{"type": "confirm_operation"}]')
        with pytest.raises(OAuthError, match="invalid_authorization_details"):
            parse_authorization_request(sent, CODE_CLIENT)

    def test_a_client_may_be_held_to_the_types_it_registered(self):
        narrow = client(authorization_details_types=["payment"])
        error = refusal(narrow, authorization_details='[{"type": "confirm_operation"}]')
        assert error.error == "invalid_authorization_details"
        assert parse(narrow, authorization_details='[{"type": "payment"}]').authorization_details


class TestTransport:
    @pytest.mark.parametrize("held_to", ["pushed", "signed"])
    def test_a_client_is_held_to_the_way_it_registered(self, held_to):
        member = {
            "pushed": "require_pushed_authorization_requests",
            "signed": "require_signed_request_object",
        }[held_to]
        strict = client(**{member: True, "jwks_uri": "https://app.example/jwks"})
        assert refusal(strict).error == "invalid_request"
        parsed = parse_authorization_request(
            request(), strict, pushed=held_to == "pushed", signed=held_to == "signed"
        )
        assert parsed.client_id == "shop"


class TestWhereAnErrorGoes:
    @pytest.mark.parametrize(
        ("changes", "mode"),
        table(
            [
                ("nothing said: the query", {}, "query"),
                ("no response_type: the query", {"response_type": None}, "query"),
                ("an unknown one: the query", {"response_type": "x token"}, "query"),
                (
                    "no response_type, but form_post",
                    {"response_type": None, "response_mode": "form_post"},
                    "form_post",
                ),
                ("an implicit type: the fragment", {"response_type": "id_token"}, "fragment"),
                ("an unknown mode: the default", {"response_mode": "smoke"}, "query"),
                (
                    "an unknown mode of an implicit type",
                    {"response_type": "id_token", "response_mode": "smoke"},
                    "fragment",
                ),
            ]
        ),
    )
    def test_by_the_mode(self, changes, mode):
        assert reply_to(request(**changes), CODE_CLIENT, EVERYTHING).mode == mode

    def test_repeated_types_and_modes_fall_back_to_the_query(self):
        pairs = [*GOOD.items(), ("response_type", "token"), ("response_mode", "fragment")]
        doubled = Parameters.of([*pairs, ("response_mode", "form_post")])
        assert reply_to(doubled, EVERY_FLOW, EVERYTHING).mode == "query"

    @pytest.mark.parametrize(
        ("pairs", "state"),
        table(
            [
                ("as it was sent", [("state", "x" * 4096)], "x" * 4096),
                ("not when there is none", [], None),
                ("not when it is repeated", [("state", "a"), ("state", "b")], None),
                ("not when it is too long", [("state", "x" * 4097)], None),
                ("not when it has control characters", [("state", "a\r\nb")], None),
            ]
        ),
    )
    def test_with_the_state(self, pairs, state):
        sent = Parameters.of([("redirect_uri", CALLBACK), *pairs])
        assert reply_to(sent, CODE_CLIENT, EVERYTHING).state == state
