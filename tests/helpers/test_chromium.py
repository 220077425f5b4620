"""Chromium and its virtual authenticators, on a page served from this process."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.helpers.chromium import Problems, VirtualAuthenticator, screenshot

CHALLENGE = b"c" * 32
SCRIPT = """async ([kind, json, patience]) => {
  const parse = `parse${kind === "create" ? "Creation" : "Request"}OptionsFromJSON`;
  const publicKey = PublicKeyCredential[parse](JSON.parse(json));
  const signal = AbortSignal.timeout(patience);
  try { return (await navigator.credentials[kind]({ publicKey, signal })).toJSON(); }
  catch (error) { return { error: error.name }; }
}"""
CREATE = options_to_json(
    generate_registration_options(
        rp_id="localhost",
        rp_name="Test",
        user_name="ana",
        user_id=b"1",
        challenge=CHALLENGE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
)


@Request.application
def strict_page(request: Request) -> Response:
    script = "throw new Error('oops')" if request.path == "/broken" else ""
    style = "style='color: red'" if request.path == "/inline" else ""
    body = f"<!doctype html><html lang=en><title>T</title><h1 {style}>T</h1>"
    headers = {"Content-Security-Policy": "default-src 'self'; script-src 'nonce-n'"}
    return Response(
        f"{body}<script nonce=n>{script}</script>", content_type="text/html", headers=headers
    )


@pytest.fixture
def origin() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, strict_page, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(page: Page, kind: str, options: str, *, patience_ms: int = 10_000) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(SCRIPT, [kind, options, patience_ms])
    return answer


@pytest.mark.parametrize(
    ("backed_up", "device_type"),
    [(True, "multi_device"), (False, "single_device")],
    ids=["synced", "device-bound"],
)
def test_a_virtual_passkey_registers_and_signs_in(
    page: Page, origin: str, backed_up: bool, device_type: str
) -> None:
    authenticator = VirtualAuthenticator(page, backup_eligible=backed_up, backup_state=backed_up)
    page.goto(origin)
    registered = verify_registration_response(
        credential=run(page, "create", CREATE),
        expected_challenge=CHALLENGE,
        expected_rp_id="localhost",
        expected_origin=origin,
        require_user_verification=True,
    )
    assert registered.credential_device_type == device_type
    (held,) = authenticator.credentials()
    assert (held.rp_id, held.backed_up, held.resident) == ("localhost", backed_up, True)
    options = generate_authentication_options(rp_id="localhost", challenge=CHALLENGE)
    signed_in = verify_authentication_response(
        credential=run(page, "get", options_to_json(options)),
        expected_challenge=CHALLENGE,
        expected_rp_id="localhost",
        expected_origin=origin,
        credential_public_key=registered.credential_public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    assert signed_in.user_verified


def test_a_person_who_fails_the_check_and_comes_round(page: Page, origin: str) -> None:
    authenticator = VirtualAuthenticator(page, user_verified=False)
    page.goto(origin)
    assert run(page, "create", CREATE) == {"error": "NotAllowedError"}
    authenticator.set_user_verified(True)
    assert run(page, "create", CREATE)["type"] == "public-key"
    authenticator.clear()
    assert authenticator.credentials() == []
    authenticator.remove()


def test_nobody_touches_it_while_presence_is_off(page: Page, origin: str) -> None:
    authenticator = VirtualAuthenticator(page, automatic_presence=False)
    page.goto(origin)
    assert run(page, "create", CREATE, patience_ms=300) == {"error": "TimeoutError"}
    assert authenticator.credentials() == []
    authenticator.set_automatic_presence(True)
    assert run(page, "create", CREATE)["type"] == "public-key"


@pytest.mark.parametrize(
    ("path", "complaint"), [("/broken", "uncaught: oops"), ("/inline", "Content Security Policy")]
)
def test_what_goes_wrong_on_a_page_is_noticed(
    page: Page, page_problems: Problems, origin: str, path: str, complaint: str
) -> None:
    page.goto(origin + path)
    assert len(page_problems) == 1
    assert complaint in page_problems[0]
    page_problems.clear()


def test_screenshots_are_named_safely(page: Page, origin: str, tmp_path: Path) -> None:
    page.goto(origin)
    taken = screenshot(page, tmp_path / "shots", "sign in / dark")
    assert taken.name == "sign-in-dark.png"
    assert taken.read_bytes().startswith(b"\x89PNG")
