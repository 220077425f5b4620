"""Logos over HTTP: a picture is kept here, and named where it belongs."""

from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from idp.services.pictures import LARGEST
from tests.helpers.house import House
from tests.web.admin.test_logo import PIXEL, SVG
from tests.web.api.calling import Tool, as_machine, problems
from tests.web.walking import events


def sent(body: bytes) -> dict[str, str]:
    return {"picture": b64encode(body).decode()}


def test_an_application_gets_one_and_loses_it(town: House, admin: Tool) -> None:
    path = f"/clients/{town.client().client_id}"
    kept = admin("PUT", f"{path}/logo", sent(PIXEL), match=admin.tag(path))
    assert kept.status_code == 200, kept.text
    logo = kept.json()["registration"]["logo_uri"]
    assert logo.startswith(f"{town.settings.issuer}/pictures/")
    assert town.http().get(urlsplit(logo).path).content == PIXEL
    assert admin("DELETE", f"{path}/logo", match='"old"').status_code == 412
    gone = admin("DELETE", f"{path}/logo", match=kept.headers["ETag"])
    assert "logo_uri" not in gone.json()["registration"]
    assert gone.headers["ETag"] == admin.tag(path)


@pytest.mark.parametrize(
    ("path", "name"), [("/settings/logo", "logo_url"), ("/settings/logo-dark", "logo_dark_url")]
)
def test_the_place_gets_one_and_loses_it(town: House, admin: Tool, path: str, name: str) -> None:
    kept = admin("PUT", path, sent(PIXEL), match=admin.tag("/settings"))
    address = kept.json()[name]["value"]
    assert town.http().get(address).content == PIXEL
    assert admin("PUT", path, sent(PIXEL), match='"old"').status_code == 412
    gone = admin("DELETE", path, match=kept.headers["ETag"])
    assert gone.json()[name] == {"value": None, "source": "default", "started_with": None}
    assert events(town, event="setting.changed")[0].data["setting"] == name


WRONG = {
    "no base64": ({"picture": "***"}, "is not base64"),
    "an SVG": (sent(SVG), "An SVG can hold scripts"),
    "too large": (sent(PIXEL + bytes(LARGEST)), "must be at most"),
    "nothing": (sent(b""), "A logo"),
}


@pytest.mark.parametrize(("body", "why"), WRONG.values(), ids=WRONG)
def test_what_is_no_picture_is_refused(
    town: House, admin: Tool, body: dict[str, str], why: str
) -> None:
    shop = f"/clients/{town.client().client_id}"
    for of, path in ((shop, f"{shop}/logo"), ("/settings", "/settings/logo")):
        refused = admin("PUT", path, body, match=admin.tag(of))
        assert refused.status_code == 422
        assert why in problems(refused)["picture"]


def test_the_largest_picture_fits(town: House, admin: Tool) -> None:
    largest = PIXEL + bytes(LARGEST - len(PIXEL))
    assert admin("PUT", "/settings/logo", sent(largest), match="*").status_code == 200


def test_who_changes_applications_changes_no_settings(town: House) -> None:
    robot = as_machine(town, ["admin:clients:read", "admin:clients:write"])
    assert robot("PUT", "/settings/logo", sent(PIXEL), match="*").status_code == 403
    path = f"/clients/{town.client().client_id}/logo"
    assert robot("PUT", path, sent(PIXEL), match="*").status_code == 200
