"""What browsers and password managers ask for at well-known addresses."""

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.house import House

ISSUER = "https://id.example.com"
ORIGINS = [ISSUER, "https://id.example.org"]


def test_a_password_manager_finds_where_passwords_are_changed(house: House) -> None:
    answered = house.http().get("/.well-known/change-password")
    assert answered.status_code == 302
    assert answered.headers["Location"] == "/me/security/password/new"
    nothing = house.http().get("/.well-known/resource-that-should-not-exist-whose-status-code")
    assert nothing.status_code == 404


def test_where_there_are_no_passwords_it_finds_what_there_is(
    sqlite_url: str, clock: FakeClock
) -> None:
    house = House(sqlite_url, clock, login_style="passkey_only")
    answered = house.http().get("/.well-known/change-password")
    assert answered.headers["Location"] == "/me/security"


def test_a_passkey_manager_finds_where_passkeys_are(house: House) -> None:
    answered = house.http().get("/.well-known/passkey-endpoints")
    page = f"{house.settings.issuer}/me/passkeys"
    assert answered.json() == {"enroll": page, "manage": page}
    assert answered.headers["Content-Type"] == "application/json"


def test_one_origin_relates_to_none(house: House) -> None:
    assert house.http().get("/.well-known/webauthn").status_code == 404


@pytest.mark.parametrize("host", ["id.example.com", "evil.example"])
def test_several_origins_are_told_whatever_the_host_header_says(
    sqlite_url: str, clock: FakeClock, host: str
) -> None:
    house = House(sqlite_url, clock, issuer=ISSUER, webauthn_origins=ORIGINS)
    for path in ("webauthn", "passkey-endpoints"):
        answered = house.http().get(f"/.well-known/{path}", headers={"Host": host})
        assert "evil" not in answered.text
    assert house.http().get("/.well-known/webauthn").json() == {"origins": ORIGINS}
