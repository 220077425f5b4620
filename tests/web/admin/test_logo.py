"""Logos that administrators upload: kept here, sent as nothing but a picture."""

import base64
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from idp.services import client_listing, pictures
from idp.services.pictures import LARGEST
from idp.web.services import Services
from tests.helpers.house import CALLBACK, House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


def upload(
    admin: UserAgent, path: str, action: str, *, field: str, body: bytes, **values: str
) -> httpx.Response:
    """Send the form with a file, as a browser does, whatever the file is called and said to be."""
    form = admin.page(path).form(action)
    fields = {**form.fields, **values}
    fields.pop(field)
    files = {field: ("logo.png", body, "image/png")}
    headers = {"Origin": "null"}
    return admin.client.post(form.action, data=fields, files=files, headers=headers)


def picture(house: House, path: str) -> httpx.Response:
    return house.http().get(path)


def logo_of(house: House, client_id: str) -> str:
    found: str = house.do(lambda _idp: client_listing.shown(client_id).metadata.logo_uri or "")
    return found


def test_a_logo_of_the_place_is_on_every_page_and_sent_from_here(
    town: House, admin: UserAgent
) -> None:
    answer = upload(admin, "/admin/settings", "/settings", field="logo_url_file", body=PIXEL)
    assert answer.status_code == 303
    page = town.browser().page("/login/")
    address = events(town, event="setting.changed")[0].data["after"]
    assert f'src="{address}"' in page.response.text
    sent = picture(town, address)
    assert (sent.status_code, sent.content) == (200, PIXEL)
    assert sent.headers["Content-Type"] == "image/png"
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "immutable" in sent.headers["Cache-Control"]
    assert "Set-Cookie" not in sent.headers
    again = upload(admin, "/admin/settings", "/settings", field="logo_url_file", body=PIXEL)
    assert again.status_code == answer.status_code
    assert len(events(town, event="setting.changed")) == 1


def test_an_application_gets_one_where_it_is_registered_and_where_it_is_changed(
    town: House, admin: UserAgent
) -> None:
    values = {"client_name": "Painted", "redirect_uris": CALLBACK}
    new, field = "/admin/clients/new/web", "logo_file"
    made = upload(admin, new, "/new/web", field=field, body=PIXEL, **values)
    client_id = urlsplit(made.headers["Location"]).path.split("/")[-2]
    logo = logo_of(town, client_id)
    assert logo.startswith(f"{town.settings.issuer}/pictures/")
    assert picture(town, urlsplit(logo).path).content == PIXEL
    assert f'src="{logo}"' in admin.page("/admin/clients?q=Painted").response.text
    path = f"/admin/clients/{client_id}/details"
    other = PIXEL + b"\0"
    assert upload(admin, path, "/details", field=field, body=other).status_code == 303
    changed = logo_of(town, client_id)
    assert changed != logo
    assert picture(town, urlsplit(changed).path).content == other


WRONG = {
    "an SVG": (SVG, "An SVG can hold scripts: save it as PNG"),
    "too large": (PIXEL + bytes(LARGEST), "at most 200 kB"),
}
PLACES = {
    "settings": ("/admin/settings", "/settings", "logo_dark_url_file", {"site_name": "Typed"}),
    "a new application": (
        "/admin/clients/new/web",
        "/new/web",
        "logo_file",
        {"client_name": "Typed", "redirect_uris": CALLBACK},
    ),
}


@pytest.mark.parametrize(("body", "told"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(("path", "action", "field", "values"), PLACES.values(), ids=PLACES)
def test_what_is_no_picture_is_refused_and_what_was_typed_is_kept(
    admin: UserAgent,
    path: str,
    action: str,
    field: str,
    values: dict[str, str],
    body: bytes,
    told: str,
) -> None:
    answer = Page(upload(admin, path, action, field=field, body=body, **values))
    assert answer.status == 422
    assert told in answer.document.text
    kept = dict(answer.form(action).fields)
    assert {name: kept[name] for name in values} == values


def kept(house: House, body: bytes) -> str:
    """The path of a picture that was uploaded, and is named by nothing yet."""

    def keep(idp: Services) -> str:
        path = pictures.keep(body, house.context, field="logo")
        idp.commit()
        return path

    path: str = house.do(keep)
    return path


def forget(house: House, days: int) -> None:
    house.do(
        lambda idp: pictures.forget_unused(
            idp.changed_settings.logos(), house.clock() + timedelta(days=days)
        )
    )


def test_a_picture_that_nothing_shows_is_forgotten_after_a_month(town: House) -> None:
    unused, local, site = (kept(town, PIXEL + bytes([number])) for number in (1, 2, 3))
    town.client(
        **{"logo_uri": "https://a.example/x.png", "logo_uri#de": f"https://b.example{local}"}
    )
    town.do(lambda idp: idp.changed_settings.set({"logo_dark_url": site}, town.context))
    forget(town, 29)
    assert picture(town, unused).status_code == 200
    forget(town, 31)
    found = {path: picture(town, path).status_code for path in (unused, local, site)}
    assert found == {unused: 404, local: 200, site: 200}
    assert kept(town, PIXEL + b"\1") == unused
    assert picture(town, unused).status_code == 200


def test_one_that_is_uploaded_anew_is_young_again(town: House) -> None:
    again = kept(town, PIXEL + b"again")
    town.clock.advance(days=31)
    assert kept(town, PIXEL + b"again") == again
    forget(town, 0)
    assert picture(town, again).status_code == 200


@pytest.mark.parametrize("name", ["nothing", "a" * 43, "..%2f..%2fetc"])
def test_what_is_not_there_is_not_found(town: House, name: str) -> None:
    assert picture(town, f"/pictures/{name}").status_code == 404
