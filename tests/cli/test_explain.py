"""What would come of an authorization request, told by command."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import current_app

from idp.assurance import Demand, Rung
from idp.models import db
from idp.models.audit import AuditEvent
from idp.oidc.explanation import demands
from idp.services.jose import make_key
from tests.cli.command import ISSUER, PASSWORD, Command
from tests.helpers.signed_requests import jwks_of, signed

CALLBACK = "https://shop.example.com/callback"
REQUEST = {
    "client_id": "shop",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "s",
    "nonce": "n-1",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
ANN = ("--user", "ann@example.com")


@pytest.fixture
def shop(sqlite_idp: Command) -> Command:
    """Ann, who has a password, and the shop; links can be mailed."""
    sqlite_idp = sqlite_idp.with_(IDP_MAIL_URL="console:")
    sqlite_idp.done("users", "create", "ann@example.com", "--password-stdin", stdin=PASSWORD)
    sqlite_idp.done("clients", "add", "--id", "shop", "--redirect-uri", CALLBACK)
    return sqlite_idp


def url(**changes: str) -> str:
    return f"https://id.example.com/oauth/authorize?{urlencode({**REQUEST, **changes})}"


def explained(idp: Command, *arguments: str, **changes: str) -> Any:
    return idp.json("explain", url(**changes), *arguments)


def test_nobody_is_asked_for_what_opens_a_session(shop: Command) -> None:
    found = explained(shop)
    assert found["outcome"] == "asks"
    assert {one["method"] for one in found["choices"]} == {"password", "passkey", "magic_link"}


def test_ann_is_asked_for_what_she_has_and_then_for_consent(shop: Command) -> None:
    found = explained(shop, *ANN)
    assert [one["method"] for one in found["choices"]] == ["password", "magic_link"]
    assert found["consent"] == ["openid", "email"]


def test_with_enough_proved_the_tokens_are_told(shop: Command) -> None:
    found = explained(shop, *ANN, "--evidence", "pwd")
    assert found["outcome"] == "tokens"
    tokens = found["tokens"]["id_token"]
    assert (tokens["acr"], tokens["amr"]) == ("urn:idp:acr:1fa", ["pwd"])
    assert (tokens["aud"], tokens["nonce"]) == ("shop", "n-1")
    assert found["tokens"]["userinfo"] == {"email": "ann@example.com", "email_verified": True}


SUPPOSED = {
    "two kinds are mfa": ("pwd,otp", "urn:idp:acr:mfa", ["pwd", "otp", "mfa"]),
    "a passkey is phr": ("passkey", "phr", ["pop", "user", "swk", "mfa"]),
    "an attested key is phrh": ("hwk", "phrh", ["pop", "user", "hwk", "mfa"]),
    "a mailbox is one factor": ("email", "urn:idp:acr:1fa", ["email"]),
    "a touch and a password": ("pwd,passkey-touch", "phr", ["pwd", "pop", "user", "swk", "mfa"]),
}


@pytest.mark.parametrize(("evidence", "acr", "amr"), SUPPOSED.values(), ids=SUPPOSED)
def test_supposed_evidence_is_weighed(
    shop: Command, evidence: str, acr: str, amr: list[str]
) -> None:
    tokens = explained(shop, "--evidence", evidence)["tokens"]["id_token"]
    assert (tokens["acr"], tokens["amr"]) == (acr, amr)


def test_an_old_proof_is_too_old_and_only_that_is_asked_for(shop: Command) -> None:
    evidence = ("--evidence", "pwd,otp@3h")
    found = explained(shop, *evidence, max_age="3600", acr_values="urn:idp:acr:mfa")
    assert found["outcome"] == "asks"
    assert "password" not in {one["method"] for one in found["choices"]}
    assert explained(shop, *evidence, acr_values="urn:idp:acr:mfa")["outcome"] == "tokens"


ERRORS: dict[str, tuple[dict[str, str], tuple[str, ...], str, str, str]] = {
    "a rung nobody can reach": (
        {"acr_values": "phrh"},
        (*ANN, "--evidence", "pwd"),
        "unmet_authentication_requirements",
        "RFC 9470 section 5",
        "redirect_uri",
    ),
    "an acr nobody knows": (
        {"acr_values": "gold"},
        (),
        "unmet_authentication_requirements",
        "RFC 9470",
        "redirect_uri",
    ),
    "silence, and nobody is signed in": (
        {"prompt": "none"},
        ANN,
        "login_required",
        "OpenID Connect Core 3.1.2.6",
        "redirect_uri",
    ),
    "silence, and she has not allowed it": (
        {"prompt": "none"},
        (*ANN, "--evidence", "pwd"),
        "consent_required",
        "OpenID Connect Core 3.1.2.6",
        "redirect_uri",
    ),
    "silence, too long ago, and she has not allowed it": (
        {"prompt": "none", "max_age": "60"},
        (*ANN, "--evidence", "pwd@1h"),
        "login_required",
        "OpenID Connect Core 3.1.2.6",
        "redirect_uri",
    ),
    "silence, and she could set up what is missing": (
        {"prompt": "none", "acr_values": "phr"},
        (*ANN, "--evidence", "pwd"),
        "interaction_required",
        "OpenID Connect Core 3.1.2.6",
        "redirect_uri",
    ),
    "silence, and it was too long ago": (
        {"prompt": "none", "max_age": "60"},
        ("--evidence", "pwd@1h"),
        "login_required",
        "OpenID Connect Core 3.1.2.6",
        "redirect_uri",
    ),
    "no PKCE": (
        {"code_challenge": ""},
        (),
        "invalid_request",
        "RFC 7636 section 4.4.1",
        "redirect_uri",
    ),
    "a strange prompt": (
        {"prompt": "please"},
        (),
        "invalid_request",
        "OpenID Connect Core 3.1.2.1",
        "redirect_uri",
    ),
    "a strange response type": (
        {"response_type": "cheese"},
        (),
        "unsupported_response_type",
        "RFC 6749 section 4.1.2.1",
        "redirect_uri",
    ),
    "an address that is not registered": (
        {"redirect_uri": "https://shop.example.com/other"},
        (),
        "invalid_request",
        "nothing is sent to an address",
        "our own page",
    ),
    "a client that is not known": (
        {"client_id": "nobody"},
        (),
        "invalid_request",
        "nothing is sent to an address",
        "our own page",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_comes_with_its_clause(shop: Command, name: str) -> None:
    changes, arguments, error, clause, where = ERRORS[name]
    found = explained(shop, *arguments, **changes)
    assert (found["outcome"], found["error"]["error"]) == ("error", error)
    known = changes.get("client_id", "shop") != "nobody"
    assert found["client_id"] == (changes.get("client_id", "shop") if known else None)
    assert clause in found["error"]["clause"]
    assert found["error"]["answered_at"] == where
    assert clause in shop.done("explain", url(**changes), *arguments)


def test_a_mismatch_shows_what_is_registered(shop: Command) -> None:
    found = explained(shop, redirect_uri="https://shop.example.com/callback/")
    assert found["error"]["registered_redirect_uris"] == [CALLBACK]
    assert CALLBACK in shop.done("explain", url(redirect_uri=f"{CALLBACK}/"))


def test_a_floor_is_named_and_way_by_way_what_reaches_it(shop: Command) -> None:
    shop.done(
        *("clients", "add", "--id", "bank", "--redirect-uri", CALLBACK),
        *("--minimum-acr", "urn:idp:acr:mfa", "--max-auth-age", "600"),
    )
    found = explained(shop, client_id="bank")
    assert found["demand"]["floor"] == "mfa"
    suffices = {one["method"]: one["suffices"] for one in found["choices"]}
    assert suffices["passkey"] is True
    assert suffices["magic_link"] is False
    told = shop.done("explain", url(client_id="bank"))
    assert "at least two factors; proofs no older than 10 min" in told
    assert "passkey, which must verify its user: enough by itself" in told


def test_strengths_are_told_in_words(shop: Command) -> None:
    told = shop.done("explain", url(acr_values="phr urn:idp:acr:1fa"), *ANN)
    assert "phr (phishing-resistant) or urn:idp:acr:1fa (one proof), or the request" in told
    assert "at least one proof" in told


@pytest.mark.parametrize("rung", Rung)
def test_no_strength_is_told_as_an_identifier(rung: Rung) -> None:
    (told,) = demands(Demand(floor=rung), datetime(2030, 6, 1, tzinfo=UTC))
    assert told.startswith("at least ")
    assert "_" not in told


def test_pages_before_the_proofs_are_told(shop: Command) -> None:
    chosen = explained(shop, *ANN, "--evidence", "pwd@1h", prompt="select_account")
    assert chosen["pages"] == ["select_account"]
    assert "choice of an account" in shop.done(
        "explain", url(prompt="select_account"), *ANN, "--evidence", "pwd@1h"
    )


def test_the_query_alone_will_do(shop: Command) -> None:
    assert shop.json("explain", f"?{urlencode(REQUEST)}")["outcome"] == "asks"
    assert shop.json("explain", urlencode(REQUEST))["outcome"] == "asks"


def test_somebody_unknown_is_refused(shop: Command) -> None:
    assert "There is nobody called" in shop.refused("explain", url(), "--user", "bob@example.com")


def test_nothing_is_written(shop: Command) -> None:
    def events() -> int:
        with shop.services():
            return db.session.query(AuditEvent).count()

    before = events()
    explained(shop, *ANN, "--evidence", "pwd")
    explained(shop, *ANN, prompt="none")
    assert events() == before


def test_whoever_is_in_no_allowed_group_is_turned_away(shop: Command, tmp_path: Any) -> None:
    file = tmp_path / "m.json"
    file.write_text('{"allowed_groups": ["staff"]}')
    shop.done(
        *("clients", "add", "--id", "wiki", "--redirect-uri", CALLBACK, "--metadata", str(file))
    )
    found = explained(shop, *ANN, "--evidence", "pwd", client_id="wiki")
    assert found["error"]["error"] == "access_denied"


@pytest.mark.parametrize("who", [ANN, ()], ids=["Ann", "anybody"])
def test_in_silence_nobody_may_sign_in_whoever_is_hinted_at(
    shop: Command, tmp_path: Any, who: tuple[str, ...]
) -> None:
    file = tmp_path / "m.json"
    file.write_text('{"admits": "nobody", "consent": "never"}')
    shop.done(
        *("clients", "add", "--id", "wiki", "--redirect-uri", CALLBACK, "--metadata", str(file))
    )
    asked = {"client_id": "wiki", "prompt": "none", "login_hint": "elsewhere@example.com"}
    found = explained(shop, *who, "--evidence", "pwd", **asked)
    assert found["error"]["error"] == "access_denied"


@pytest.mark.parametrize(
    ("hint", "outcome"), [("ann@example.com", "tokens"), ("bob@example.com", "error")]
)
def test_in_silence_a_hint_has_to_be_hers(
    shop: Command, tmp_path: Any, hint: str, outcome: str
) -> None:
    file = tmp_path / "m.json"
    file.write_text('{"consent": "never"}')
    shop.done(
        *("clients", "add", "--id", "wiki", "--redirect-uri", CALLBACK, "--metadata", str(file))
    )
    asked = {"client_id": "wiki", "prompt": "none", "login_hint": hint}
    found = explained(shop, *ANN, "--evidence", "pwd", **asked)
    assert found["outcome"] == outcome
    if outcome == "error":
        assert found["error"]["error"] == "account_selection_required"
    assert explained(shop, "--evidence", "pwd", **asked)["outcome"] == "tokens"


def pushed(shop: Command, **changes: str) -> str:
    """The address that a browser would be sent to, by an application without a secret."""
    shop.done("clients", "add", "--id", "phone", "--public", "--redirect-uri", CALLBACK)
    form = {**REQUEST, "client_id": "phone", **changes}
    with shop.services():
        answer = current_app.test_client().post("/oauth/par", data=form, base_url=ISSUER)
    request_uri = json.loads(answer.data)["request_uri"]
    return f"?{urlencode({'client_id': 'phone', 'request_uri': request_uri})}"


def test_a_pushed_request_is_told_and_stays_good(shop: Command) -> None:
    address = pushed(shop, max_age="60")
    for _ in range(2):
        found = shop.json("explain", address, *ANN, "--evidence", "pwd")
        assert (found["outcome"], found["came"]) == ("tokens", "pushed")
        assert (found["client_id"], found["tokens"]["scope"]) == ("phone", ["openid", "email"])
    told = shop.done("explain", address, *ANN, "--evidence", "pwd@1h")
    assert "proofs no older than 1 min" in told
    assert "pushed" in told


def test_one_that_nobody_pushed_is_an_error_of_our_own(shop: Command) -> None:
    found = shop.json("explain", f"{pushed(shop)[:-3]}AAA")["error"]
    assert (found["error"], found["answered_at"]) == ("invalid_request_uri", "our own page")
    assert "RFC 9126" in found["clause"]


def test_what_is_signed_counts_and_not_what_stands_beside_it(shop: Command, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"redirect_uris": [CALLBACK], "jwks": jwks_of("ES256")}))
    shop.done("clients", "add", "--id", "signs", "--metadata", str(file))
    claims = {**REQUEST, "client_id": "signs", "max_age": 60}
    beside = {"client_id": "signs", "max_age": "7200", "request": signed(claims)}
    evidence = (*ANN, "--evidence", "pwd@1h")
    found = explained(shop, *evidence, **beside)
    assert (found["outcome"], found["came"]) == ("asks", "signed")
    assert "signed" in shop.done("explain", url(**beside), *evidence)
    plain = explained(shop, *evidence, client_id="signs", max_age="7200")
    assert (plain["outcome"], plain["came"]) == ("tokens", "in the address")


def test_a_signature_that_is_not_the_clients(shop: Command, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"redirect_uris": [CALLBACK], "jwks": jwks_of("ES256")}))
    shop.done("clients", "add", "--id", "signs", "--metadata", str(file))
    strange = signed({**REQUEST, "client_id": "signs"}, key=make_key("ES256"))
    found = explained(shop, client_id="signs", request=strange)["error"]
    assert found["error"] == "invalid_request_object"
    assert "RFC 9101" in found["clause"]


def test_an_address_of_another_provider_is_told_of(shop: Command) -> None:
    elsewhere = url().replace("https://id.example.com", "https://login.example.org")
    found = shop("explain", elsewhere, "--json")
    assert "https://login.example.org is not this provider's address" in found.stderr
    assert json.loads(found.stdout)["outcome"] == "asks"
    assert shop("explain", url(), "--json").stderr == ""
    assert shop("explain", urlsplit(url()).query, "--json").stderr == ""
