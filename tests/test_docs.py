"""What the documentation names is there: links, commands, settings, files, addresses, examples."""

import re
import runpy
import shlex
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, astuple, dataclass, fields, replace
from datetime import timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import httpx
import pytest
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import RequestRedirect

from idp.app import create_app
from idp.cli import main
from idp.config import Settings, load_settings
from idp.factors import FACTORS
from idp.oidc.capabilities import capabilities_of, endpoints_of
from idp.protocol.client_metadata import MEMBERS
from idp.services.client_rules import ClientRules
from tests.helpers.databases import Databases
from tests.helpers.servers import TEST_KEY, serve
from tests.interop.provider import CHEAP_HASH, Provider, Visitor

ROOT = Path(__file__).resolve().parents[1]
PATHS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "tests/step_up/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@dataclass(frozen=True)
class Block:
    """A fenced piece of code."""

    language: str
    text: str


@dataclass(frozen=True)
class DocPage:
    """One Markdown file, taken apart."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def _parts(self) -> list[str]:
        """Prose and fenced blocks in turn."""
        return re.split(r"^```", self.text, flags=re.MULTILINE)

    @property
    def prose(self) -> str:
        return "\n".join(self._parts[0::2])

    @property
    def blocks(self) -> list[Block]:
        return [Block(*part.split("\n", 1)) for part in self._parts[1::2]]

    @property
    def spans(self) -> list[str]:
        """What stands between backticks, on one line wherever it was broken."""
        paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\|)", self.prose)]
        return [span for text in paragraphs for span in re.findall(r"`([^`]+)`", text)]

    @property
    def links(self) -> list[str]:
        return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", self.prose))

    @property
    def anchors(self) -> set[str]:
        """Of its headings, as forges make them."""
        headings = re.findall(r"^#+ (.+)$", self.prose, flags=re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}

    def table_rows(self, first_column: str) -> Iterator[list[str]]:
        """The cells of each row of the tables whose first column is called so."""
        lines = self.prose.splitlines()
        for is_table, table in groupby(lines, key=lambda line: line.startswith("|")):
            rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
            if is_table and rows[0][0].strip() == first_column:
                yield from rows[2:]


PAGES = {str(path.relative_to(ROOT)): DocPage(path) for path in PATHS}
CONFIGURATION = DocPage(ROOT / "docs/configuration.md")
CLIENTS = DocPage(ROOT / "docs/clients.md")
README = DocPage(ROOT / "README.md")

each_page = pytest.mark.parametrize("doc", PAGES.values(), ids=PAGES)


@each_page
def test_every_link_within_leads_somewhere(doc: DocPage) -> None:
    inside = [link for link in doc.links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not _is_there(doc, link)] == []


def _is_there(doc: DocPage, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (doc.path.parent / name).resolve() if name else doc.path
    return target.exists() and (not anchor or anchor in DocPage(target).anchors)


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in README.links}
    assert [path.name for path in PATHS[1:] if path not in linked] == []


OPERATIONS = DocPage(ROOT / "docs/operations.md")


def test_every_kind_of_audit_event_is_told_of() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "idp").rglob("*.py"))
    kinds = set(re.findall(r'audit\.record\(\s*f?"([a-z_]+\.)', written))
    told = "".join(row[0] for row in OPERATIONS.table_rows("Events that begin with"))
    assert len(kinds) > 10
    assert {kind for kind in kinds if f"`{kind}`" not in told} == set()


# Commands


def commands_in(doc: DocPage) -> Iterator[str]:
    """Command lines: at a prompt, in a block of their own, or between backticks."""
    for block in doc.blocks:
        lines = block.text.replace("\\\n", " ").splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        plain = lines if block.language in ("", "sh", "bash") else []
        yield from prompted or [line for line in plain if line.startswith("idp ")]
    indented = re.sub(r"\\\n\s*", " ", doc.prose)
    yield from re.findall(r"^    (idp .+)$", indented, flags=re.MULTILINE)
    yield from (span for span in doc.spans if " " in span)


def calls_of_ours(line: str) -> Iterator[list[str]]:
    """The words after ``idp``, for each time that a line calls it."""
    if "idp " not in line:
        return
    words = shlex.split(re.sub(r"[\[\]…]", "", line), comments=True)
    for ends, call in groupby(words, key=lambda word: word.strip("()") in ("|", "&&", ";", ">")):
        called = [word for word in call if not re.fullmatch(r"[A-Z_]+=.*", word)]
        if not ends and called and called[0].rpartition("/")[2] == "idp":
            yield called[1:]


def wrong_with(words: Sequence[str]) -> str | None:
    """Held against the command as it is; None when it could be called so."""
    command: click.Command = main
    arguments = 0
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            option = _option(command, word.partition("=")[0])
            if option is None:
                return f"{command.name} has no option {word}"
            if not option.is_flag and "=" not in word:
                next(rest, None)
        elif not isinstance(command, click.Group):
            arguments += 1
        elif word in command.commands:
            command = command.commands[word]
        else:
            return None if word == "COMMAND" else f"{command.name} has no command {word}"
    return _too_many(command, arguments)


def _option(command: click.Command, name: str) -> click.Option | None:
    context = click.Context(command, help_option_names=["-h", "--help"])
    known = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    return next((one for one in known if name in (*one.opts, *one.secondary_opts)), None)


def _too_many(command: click.Command, arguments: int) -> str | None:
    taken = [one.nargs for one in command.params if isinstance(one, click.Argument)]
    return f"{command.name} takes fewer" if -1 not in taken and arguments > sum(taken) else None


@each_page
def test_every_command_can_be_called_so(doc: DocPage) -> None:
    calls = [(line, call) for line in commands_in(doc) for call in calls_of_ours(line)]
    assert {line: wrong for line, call in calls if (wrong := wrong_with(call))} == {}


@pytest.mark.parametrize(
    "line",
    ["idp user list", "$ idp clients add --nam X", "X=1 idp users show a b", "true && idp frob"],
)
def test_a_command_that_is_not_there_is_found(line: str) -> None:
    assert [call for call in calls_of_ours(line.removeprefix("$ ")) if wrong_with(call)]


# Settings

FIELDS: Mapping[str, Field[Any]] = {one.name: one for one in fields(Settings)}


@each_page
def test_every_variable_is_a_setting(doc: DocPage) -> None:
    known = {f"IDP_{name.upper()}" for name in FIELDS} | {"IDP_CONFIG", "IDP_KEYS_FILE"}
    named = set(re.findall(r"\bIDP_[A-Z][A-Z0-9_]*\b", doc.text))
    shown_to_be_wrong = {one for one in named if f"{one}: there is no such setting" in doc.text}
    assert named - known - shown_to_be_wrong == set()


def test_every_setting_is_documented_with_its_default() -> None:
    told = {row[0].strip("`"): row[1] for row in CONFIGURATION.table_rows("Setting")}
    assert told.pop("keys_file")
    assert told.keys() == FIELDS.keys()
    shown = {name: f"`{_default(one)}`" for name, one in FIELDS.items()}
    bare = {name: text.strip("`") if text in _WORDS else text for name, text in shown.items()}
    assert {name: (told[name], bare[name]) for name in FIELDS if told[name] != bare[name]} == {}


_WORDS = ("`none`", "`required`")


def _default(setting: Field[Any]) -> str:
    if setting.metadata["required"]:
        return "required"
    made = callable(setting.default_factory)
    value = setting.default_factory() if made else setting.default  # type: ignore[operator]
    if isinstance(value, timedelta):
        return str(int(value.total_seconds()))
    if value in (None, (), {}, ""):
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{text.replace(f"{Path.cwd()}/", "")}"' if isinstance(value, str) else text


def toml_blocks(first_line: str) -> list[str]:
    found = [block.text for doc in PAGES.values() for block in doc.blocks]
    return [text for text in found if text.startswith(first_line)]


@pytest.mark.parametrize("text", toml_blocks("# idp.toml"))
def test_every_settings_file_can_be_used(text: str, tmp_path: Path) -> None:
    file = tmp_path / "idp.toml"
    file.write_text(text, encoding="utf-8")
    assert load_settings(file, {}, keys=TEST_KEY).issuer == "https://id.example.com"


@pytest.fixture(scope="module")
def settings() -> Settings:
    """With everything on that has an address of its own."""
    issuer = "http://localhost:8000"
    return load_settings(environ={}, issuer=issuer, keys=TEST_KEY, demo=True, registration=True)


# Clients, files, addresses


@pytest.mark.parametrize("text", toml_blocks("# client.toml"))
def test_every_registration_would_be_taken(text: str, settings: Settings) -> None:
    members = tomllib.loads(text)
    rules = ClientRules(settings, capabilities_of(settings), ways=FACTORS)
    assert members.pop("client_id")
    members.pop("client_secret", None)
    rules.parse(members)


def test_what_is_advertised_is_told(settings: Settings) -> None:
    offered = capabilities_of(replace(settings, client_certificate_header="Client-Cert"))
    names = {
        *(*offered.response_types, *offered.response_modes, *offered.grant_types),
        *(*offered.token_endpoint_auth_methods, *offered.subject_types, *offered.scopes),
        *(*offered.id_token_signing_algs, *offered.dpop_signing_algs),
        *(*offered.token_endpoint_auth_signing_algs, *offered.request_object_signing_algs),
        *(*offered.id_token_encryption_algs, *offered.id_token_encryption_encs),
        *offered.authorization_details_types,
    }
    told = {*CLIENTS.spans, *PAGES["docs/openid.md"].spans}
    assert names - told == set()


def test_every_endpoint_is_told(settings: Settings) -> None:
    paths = {path for path in astuple(endpoints_of(settings)) if path}
    told = {span for doc in PAGES.values() for span in doc.spans}
    assert paths - told == set()


def test_members_of_a_registration_are_there_and_ours_are_all_told() -> None:
    names = [one.name for one in MEMBERS]
    first = [row[0] for row in CLIENTS.table_rows("Member")]
    told = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    assert told - set(names) == set()
    assert set(names[names.index("require_pkce") :]) - told == set()  # from there on they are ours


@each_page
def test_a_revision_that_is_shown_is_the_newest(doc: DocPage) -> None:
    newest = max(one.name[:4] for one in (ROOT / "migrations" / "versions").glob("0*.py"))
    assert set(re.findall(r"revision (\d{4})", doc.text)) <= {newest}


@each_page
def test_every_file_named_is_there(doc: DocPage) -> None:
    ours = re.compile(r"(idp|tests|templates|migrations|clients|docs)/[\w./-]+\w")
    named = [span for span in doc.spans if ours.fullmatch(span) and "/wiki" not in span]
    assert [name for name in named if not (ROOT / name).exists()] == []


@each_page
def test_every_address_named_is_there(doc: DocPage, settings: Settings) -> None:
    adapter = create_app(settings).url_map.bind("localhost:8000")
    named = [span for span in doc.spans if re.fullmatch(r"/[a-z.][\w./-]*", span)]
    assert [path for path in named if not _answers(adapter, path)] == []


def _answers(adapter: Any, path: str) -> bool:
    try:
        return any(adapter.test(path, method=one) for one in ("GET", "POST", "PUT"))
    except (MethodNotAllowed, RequestRedirect):
        return True


def test_the_changelog_knows_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] in PAGES["CHANGELOG.md"].text


# The example of the README, as it stands there

ORIGIN = "https://wiki.example.com"


@pytest.fixture
def visitor(databases: Databases, tmp_path: Path) -> Iterator[Visitor]:
    """A browser at the example application, which trusts a provider of this test's."""
    example, step_up = (block.text for block in README.blocks if block.language == "python")
    with (
        databases.fresh("sqlite") as url,
        serve(url, tmp_path, settings=CHEAP_HASH) as (server,),
    ):
        provider = Provider(server, url)
        made = provider.client(redirect_uris=[f"{ORIGIN}/callback"])
        source = f"{example}\n{_PAY}{textwrap.indent(step_up, '    ')}    return 'Paid'\n"
        for pattern, put in (
            (r"https://id\.example\.com", provider.issuer),
            (r'client_id="[^"]+"', f'client_id="{made.client_id}"'),
            (r'client_secret="[^"]+"', f'client_secret="{made.client_secret}"'),
        ):
            source, replaced = re.subn(pattern, put, source)
            assert replaced == 1, pattern
        file = tmp_path / "wiki.py"
        file.write_text(source, encoding="utf-8")
        app = runpy.run_path(str(file))["app"]
        browser = Visitor(provider, ORIGIN, httpx.WSGITransport(app=app))
        yield browser
        browser.close()


_PAY = """
@app.get("/pay")
def pay():
    callback_url = url_for("callback", _external=True)
"""


def test_the_example_signs_in_and_steps_up(visitor: Visitor) -> None:
    assert visitor.visit("/").text == "Hello alice@example.com, by urn:idp:acr:1fa"
    asked = parse_qs(urlsplit(visitor.depart("/pay")).query)
    assert (asked["acr_values"], asked["max_age"]) == (["phr"], ["300"])
