"""Every form of the console has its command beside it, and the command is one."""

import html
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from idp.cli import main
from tests.helpers.foreign_people import EXPORTS
from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import newcomer, user_of

PAGES = (
    *("/admin/people", "/admin/people?q=a'b&group=Staff", "/admin/people/invite"),
    *("/admin/people/import", "/admin/people/import/preview"),
    *("/admin/people/{person}", "/admin/people/{person}/profile", "/admin/people/{leaving}"),
    *("/admin/groups", "/admin/groups/{group}", "/admin/audit", "/admin/audit?person={person}"),
    *("/admin/keys", "/admin/health", "/admin/settings", "/admin/explain"),
    "/admin/explain?url=https%3A%2F%2Fid.example%2F%3Fx%3D1%26y%3D2&evidence=pwd%403h",
    *("/admin/clients", "/admin/clients?q=Shop's", "/admin/clients/new", "/admin/refused"),
    *(f"/admin/clients/new/{kind}" for kind in ("web", "browser", "native", "device", "machine")),
    *(
        f"/admin/clients/{{client}}{tab}"
        for tab in (
            *("", "/connect", "/details", "/access", "/claims", "/secrets"),
            *("/activity", "/danger", "/registration", "/test"),
        )
    ),
    "/admin/refused/{reference}",
)
NO_CHANGES = ("/sign-out", "/stored", "/link/done")
"""Forms that change nothing which is administered."""
FILES = ("FILE", "claims.json", "logo.png", "client.toml")
BLOCK = re.compile(r'<details class="parity">.*?</details>', re.DOTALL)


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


@pytest.fixture(scope="module")
def ids(town: House, admin: UserAgent) -> Mapping[str, str]:
    """What the addresses name: one of each, and what every page needs to have a form."""
    person, leaving = newcomer(town, groups=["Parity"]), newcomer(town)
    town.do(lambda idp: idp.deletion.request(user_of(idp, leaving), leaving.email, town.context))
    shop = town.client(client_name="Shop")
    refused = admin.get(shop.authorization_url(redirect_uri="https://shop.example/x"))
    assert isinstance(refused, Page)
    reference = re.search(r"/admin/refused/([A-Z0-9]+)", refused.response.text)
    assert reference
    page = admin.page("/admin/people/import")
    text = EXPORTS["CSV, Argon2i"].content.decode()
    admin.submit(page, page.form("/import"), {"people": text})
    group = admin.page("/admin/groups").link("Parity").rpartition("/")[2]
    made = {"person": person.id, "leaving": leaving.id, "client": shop.client_id}
    return {**made, "group": group, "reference": reference[1]}


def lines(page: Page) -> Iterator[str]:
    """The commands that the page shows."""
    for block in BLOCK.findall(page.response.text):
        for shown in re.findall(r"<code>(.*?)</code>", block, re.DOTALL):
            told = html.unescape(shown)
            yield from (line for line in told.splitlines() if line.startswith("idp "))


def parse(line: str) -> None:
    """As a shell and the command read it; nothing is done. Raises ``click.UsageError``."""
    _idp, *words = shlex.split(line)
    command: click.Command = main
    context = click.Context(main, info_name="idp")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            raise click.UsageError(f"no command {words[0]}")
        command, words = found, words[1:]
    with command.make_context(command.name, words, parent=context):
        pass  # files that it opened are closed


@pytest.mark.parametrize("path", PAGES)
def test_each_page_shows_commands_that_can_be_given(
    admin: UserAgent,
    ids: Mapping[str, str],
    path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        (tmp_path / name).touch()
    page = admin.page(path.format(**ids))
    assert page.status == 200
    shown = list(lines(page))
    forms = [form for form in page.document.forms if form.method == "post"]
    changing = [form for form in forms if not form.action.endswith(NO_CHANGES)]
    assert shown or not changing
    for line in shown:
        parse(line)


@pytest.mark.parametrize(
    "line",
    ["idp user list", "idp users lisp", "idp users show", "idp clients set a", "idp keys list x"],
)
def test_what_is_no_command_is_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)
