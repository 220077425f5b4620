"""What forms of applications refuse is said with the words of the page, and with the way out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from idp.config.live import CHANGEABLE
from idp.protocol.client_metadata import MEMBER_NAMES
from idp.web.admin.clients import fields
from idp.web.admin.clients.wording import LABELS, for_people
from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as

JARGON = re.compile(
    r"\w_\w|\"|\bacr\b|\bURI\b|\bURL\b|\bJSON list\b|grant type|pairwise|reverse direction"
)
"""Names of members, and words that are explained nowhere on the page."""
FORMS = {**fields.WHO, **fields.DETAILS, **fields.ACCESS, **fields.CLAIMS, **fields.OWNERS}
LONG = "x" * 3000
MANY = "\n".join(f"https://wiki.example/{number}" for number in range(60))
BAD: Mapping[str, tuple[str, dict[str, str]]] = {
    "nothing": ("new/web", {"client_name": "", "redirect_uris": "", "who": "groups"}),
    "nothing, on a phone": ("new/native", {"client_name": "", "redirect_uris": ""}),
    "text of any kind": (
        "new/web",
        {"client_name": "a\u202eb", "redirect_uris": "wiki", "logo_uri": "x"},
    ),
    "too long": (
        "new/web",
        {
            "client_name": LONG,
            "redirect_uris": LONG,
            "logo_uri": LONG,
            "who": "groups",
            "allowed_groups": LONG,
        },
    ),
    "too many": ("new/web", {"client_name": "a", "redirect_uris": MANY}),
    "addresses that are none": (
        "new/web",
        {
            "client_name": "a",
            "redirect_uris": "http://x/\nhttps://a*b/\nhttps://u@h/\nhttps://h/#x\nhttps:///x",
        },
    ),
    "schemes that are nobody’s": (
        "new/native",
        {"client_name": "a", "redirect_uris": "app:/cb\ncom.example.app:"},
    ),
    "details that are none": (
        "details",
        {
            **dict.fromkeys(("client_uri", "logo_uri", "policy_uri", "tos_uri"), "x"),
            "initiate_login_uri": "http://x/",
            "redirect_uris": "",
            "post_logout_redirect_uris": "http://x/\nwiki",
        },
    ),
    "access that is none": (
        "access",
        {"max_auth_age": "soon", "allowed_groups": "Nope", "owner_groups": "Nope"},
    ),
    "what no choice has": (
        "access",
        {"max_auth_age": "99999999999", "minimum_acr": "x", "consent": "x"},
    ),
    "a group that is none": ("claims", {"told_groups": "Nope", "map-email": "x"}),
}


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


def refused(agent: UserAgent, path: str, values: Mapping[str, str]) -> Page:
    page = agent.page(f"/admin/clients/{path}")
    form = page.form(f"/{path}" if path.startswith("new") else f"/{path.rpartition('/')[2]}")
    sent = agent.submit(page, form, {k: v for k, v in values.items() if k in form.inputs})
    assert isinstance(sent, Page)
    assert sent.status == 422
    return sent


def problems(page: Page) -> Iterator[str]:
    listed = re.search(r"data-summary>.*?</ul>", page.response.text, re.DOTALL)
    assert listed
    for item in re.findall(r"<li>(.*?)</li>", listed[0], re.DOTALL):
        yield re.sub(r"<[^>]+>", "", item).strip()


@pytest.mark.parametrize(("place", "values"), BAD.values(), ids=BAD)
def test_a_form_speaks_no_jargon(
    town: House, admin: UserAgent, place: str, values: dict[str, str]
) -> None:
    path = place if place.startswith("new") else f"{town.client().client_id}/{place}"
    told = list(problems(refused(admin, path, values)))
    assert told
    for sentence in told:
        assert not JARGON.search(sentence), sentence
        assert sentence[0].isupper(), sentence
        assert sentence.endswith("."), sentence
        assert len(sentence) < 260


def test_it_says_what_to_do(town: House, admin: UserAgent) -> None:
    told = list(problems(refused(admin, "new/web", {"client_name": "Wiki", "redirect_uris": ""})))
    assert told == [
        "Type at least one redirect address: where people come back to, such as"
        " https://wiki.example/callback."
    ]


def test_what_a_form_breaks_elsewhere_is_said_with_where_to_mend_it(
    town: House, admin: UserAgent
) -> None:
    members = {"subject_type": "pairwise", "frontchannel_logout_uri": "https://shop.example/out"}
    path = f"{town.client(**members).client_id}/details"
    moved = {"redirect_uris": "https://a.example/x\nhttps://b.example/x"}
    for sentence in problems(refused(admin, path, moved)):
        assert "All members as JSON" in sentence
        assert not JARGON.search(sentence)


def test_whoever_writes_members_is_told_of_members(town: House, admin: UserAgent) -> None:
    path = f"{town.client().client_id}/registration"
    told = list(problems(refused(admin, path, {"registration": '{"grant_types": ["x"]}'})))
    assert any("grant_types must" in one or "grant_types item" in one for one in told)


def test_every_field_has_a_label_and_no_label_is_of_something_else() -> None:
    assert FORMS.keys() <= LABELS.keys()
    assert LABELS.keys() - MEMBER_NAMES == {"registration"}
    assert for_people("jwks_uri", "must be there").startswith("Under “All members as JSON”")


def test_what_a_setting_refuses_names_the_setting(town: House, admin: UserAgent) -> None:
    page = admin.page("/admin/settings")
    bad = {"accent": "x", "radius": "x", "logo_url": "x", "help_url": "x"}
    sent: Any = admin.submit(page, page.form("/settings"), bad)
    told = list(problems(sent))
    assert len(told) == len(bad)
    assert bad.keys() <= set(CHANGEABLE)
    assert [one for one in told if one.startswith("This")] == []
