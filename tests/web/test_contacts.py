"""Where a contact leads that somebody registered with an application."""

import pytest

from idp.web.contacts import contact_of
from tests.helpers.house import House
from tests.web.walking import newcomer, signed_in

LEADS = {
    "an e-mail address": ("help@diary.example", "mailto:help@diary.example"),
    "one with a tag": ("help+diary@diary.example", "mailto:help+diary@diary.example"),
    "one that would go on": ("a?bcc=b&c@diary.example", "mailto:a%3Fbcc%3Db%26c@diary.example"),
    "one in other letters": ("zoë@diary.example", "mailto:zo%C3%AB@diary.example"),
    "an address on the web": ("https://x.example/@me", "https://x.example/@me"),
    "one without TLS": ("http://intranet/help?to=@me", "http://intranet/help?to=@me"),
    "in capital letters": ("HTTPS://X.example/", "HTTPS://X.example/"),
    "one that hides its host": ("https://bank.example@x.example/", None),
    "one without a host": ("https:///@me", None),
    "a script": ("javascript:alert('@')", None),
    "a handle": ("@me", None),
    "one of another network": ("@me@x.example", None),
    "a name and an address": ("Help <help@diary.example>", None),
    "two addresses": ("a@x.example,b@x.example", None),
    "a name": ("Ann of the help desk", None),
    "a room": ("matrix:r/diary:x.example", None),
}


@pytest.mark.parametrize(("text", "url"), LEADS.values(), ids=LEADS)
def test_a_contact_leads_where_it_says_or_nowhere(text: str, url: str | None) -> None:
    assert contact_of(text).url == url
    assert contact_of(text).text == text


def test_the_page_of_an_application_that_admits_nobody_links_to_them(town: House) -> None:
    contacts = [text for text, _url in LEADS.values()]
    diary = town.client(admits="nobody", consent="never", contacts=contacts)
    agent = signed_in(town, town.client(), newcomer(town))
    page = agent.page(diary.authorization_url())
    links = dict(page.document.links)
    for text, url in LEADS.values():
        assert text in page.document.text
        assert links.get(text) == url
