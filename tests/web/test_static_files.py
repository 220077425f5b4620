"""What pages are dressed in: small, asked for once, and never out of date."""

import re
from pathlib import Path

import httpx
import pytest

from tests.helpers.house import House

STATIC = Path(__file__).resolve().parents[2] / "idp/static"
BUDGET = 12 * 1024
"""Bytes of the stylesheet, as it is written."""
SCRIPTS = 12_000
"""Bytes of all scripts together, as they are written."""


def addresses(house: House) -> list[str]:
    """Of everything that the sign-in page loads."""
    page = house.browser().page(house.client().authorization_url())
    found: list[str] = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.response.text)
    return sorted(set(found))


def fetched(house: House, url: str, **headers: str) -> httpx.Response:
    return house.http().get(url, headers=headers)


def test_a_page_names_the_version_of_what_it_loads(town: House) -> None:
    found = addresses(town)
    assert any("app.css?v=" in url for url in found)
    for url in found:
        assert "?v=" in url
        kept = fetched(town, url).headers["Cache-Control"]
        assert "immutable" in kept
        assert "max-age=31536000" in kept


def test_another_version_is_not_kept_for_good(town: House) -> None:
    for url in ("/static/app.css", "/static/app.css?v=000000000000"):
        assert "immutable" not in fetched(town, url).headers["Cache-Control"]


@pytest.mark.parametrize("name", ["app.css", "page.js", "icons.svg"])
def test_text_is_sent_compressed_to_whoever_takes_that(town: House, name: str) -> None:
    plain = fetched(town, f"/static/{name}", **{"Accept-Encoding": "identity"})
    small = fetched(town, f"/static/{name}", **{"Accept-Encoding": "gzip"})
    assert plain.content == small.content == (STATIC / name).read_bytes()
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert int(small.headers["Content-Length"]) < len(plain.content) * 0.6
    assert "Accept-Encoding" in small.headers["Vary"]
    refused = fetched(town, f"/static/{name}", **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_who_has_it_is_sent_nothing(town: House) -> None:
    for encoding in ("gzip", "identity"):
        first = fetched(town, "/static/app.css", **{"Accept-Encoding": encoding})
        asked = {"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]}
        assert fetched(town, "/static/app.css", **asked).status_code == 304
    part = fetched(town, "/static/app.css", **{"Accept-Encoding": "gzip", "Range": "bytes=0-3"})
    assert "Content-Encoding" not in part.headers


def test_cards_are_as_round_as_the_setting_says() -> None:
    for sheet in STATIC.glob("*.css"):
        assert "var(--radius) *" not in sheet.read_text(encoding="utf-8"), sheet.name
    assert re.search(
        r"\.card \{[^}]*border-radius: var\(--radius\)", (STATIC / "app.css").read_text()
    )


def test_the_sign_in_page_stays_light(town: House) -> None:
    sheets = [url for url in addresses(town) if ".css" in url]
    scripts = [url for url in addresses(town) if ".js" in url]
    assert len(sheets) == 1
    assert len(fetched(town, sheets[0]).content) <= BUDGET
    assert {url.partition("?")[0] for url in scripts} == {"/static/page.js", "/static/passkey.js"}
    assert sum(len(fetched(town, url).content) for url in scripts) <= SCRIPTS
