"""What people see of an application: its logo, its papers, and the way into it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from idp.protocol.registration import InvalidClientMetadata
from tests.helpers.house import House
from tests.web.walking import enter, newcomer, shown, signed_in

LOGO = "https://cdn.example/logo.png"
PAPERS = {
    "policy_uri": "https://shop.example/privacy",
    "tos_uri": "https://shop.example/terms",
    "logo_uri": LOGO,
}


def test_logo_policy_and_terms_are_on_the_first_page_and_on_the_question(town: House) -> None:
    shop, alice = town.client(**PAPERS), newcomer(town)
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    consent = shown(enter(agent, first, alice))
    for page in (first, consent):
        for address in PAPERS.values():
            assert f'"{address}"' in page.response.text
        (logo,) = [one for one in page.response.text.split("<img ") if LOGO in one]
        tag = logo.partition(">")[0]
        assert 'alt=""' in tag
        assert 'referrerpolicy="no-referrer"' in tag
        assert 'data-initial="S"' in tag
        images = page.response.headers["Content-Security-Policy"].partition("img-src ")[2]
        assert images.startswith("'self' data: https://cdn.example;")


def test_nothing_is_there_of_an_app_that_has_none(town: House) -> None:
    text = town.browser().page(town.client().authorization_url()).response.text
    assert "Privacy policy of" not in text
    assert "Terms of" not in text
    assert "data-initial" not in text


HOSTILE = ("javascript:alert(1)", "data:text/html,x", "http://shop.example/", "https://a;b/", "//x")


@pytest.mark.parametrize("member", PAPERS)
@pytest.mark.parametrize("address", HOSTILE)
def test_no_other_address_gets_there(town: House, member: str, address: str) -> None:
    with pytest.raises(InvalidClientMetadata):
        town.client(**{member: address})


def test_the_places_own_papers_are_at_the_foot_of_every_page(sqlite_url: str, town: House) -> None:
    papers = {
        "privacy_url": "https://org.example/privacy",
        "terms_url": "https://org.example/terms",
    }
    house = House(sqlite_url, town.clock, **papers)
    text = house.browser().page("/login/").response.text
    assert f'<a href="{papers["privacy_url"]}">Privacy</a>' in text
    assert f'<a href="{papers["terms_url"]}">Terms</a>' in text
    joining = House(sqlite_url, town.clock, registration=True, **papers).browser()
    page = joining.page("/login/register").document.text
    assert "By creating an account you agree to the terms of use" in " ".join(page.split())
    told = house.http().get("/.well-known/openid-configuration").json()
    assert (told["op_policy_uri"], told["op_tos_uri"]) == tuple(papers.values())
    plain = town.http().get("/.well-known/openid-configuration").json()
    assert not {"op_policy_uri", "op_tos_uri"} & plain.keys()


def opens(town: House, **members: str) -> str:
    """Where "Open" leads for an app of these members, after a sign-in to it."""
    shop = town.client(**members)
    agent = signed_in(town, shop, newcomer(town))
    text = agent.page("/me/apps").response.text
    anchor = next((one for one in text.split("<a ")[1:] if "Open Shop" in one), "")
    found = anchor.partition('href="')[2].partition('"')[0]
    return found.replace("&amp;", "&")


def test_open_begins_a_sign_in_at_the_app_where_it_takes_that(town: House) -> None:
    address = urlsplit(
        opens(
            town,
            initiate_login_uri="https://shop.example/start?a=b",
            client_uri="https://shop.example/home",
        )
    )
    assert (address.netloc, address.path) == ("shop.example", "/start")
    assert parse_qs(address.query) == {
        "a": ["b"],
        "iss": [town.settings.issuer],
        "target_link_uri": ["https://shop.example/home"],
    }


def test_open_needs_no_home_for_that(town: House) -> None:
    address = opens(town, initiate_login_uri="https://shop.example/start")
    assert parse_qs(urlsplit(address).query) == {"iss": [town.settings.issuer]}


def test_otherwise_it_leads_home_or_nowhere(town: House) -> None:
    assert opens(town, client_uri="https://shop.example/") == "https://shop.example/"
    assert opens(town) == ""
