"""Whatever pages say can be translated: it is marked, as a whole sentence, with names for gaps."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(
    [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates/mail").glob("*.txt")]
)
SOURCES = sorted((ROOT / "idp" / "web").rglob("*.py"))

TAGS = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
ATTRIBUTE = re.compile(r"\b(?:placeholder|title|aria-label|alt|label|data-done)=\"([^\"{]+)\"")
NO_TEXT = re.compile(
    r"{%-? (block (?:body_class|body_data)|macro symbol\(.*?\)) -?%}.*?"
    r"{%-? end(?:block|macro)\b.*?%}",
    re.DOTALL,
)
"""Blocks of attributes, and of names of icons."""
ATTRIBUTES = re.compile(r"[\w-]+=\"[^\"]*\"")
NAMES = frozenset({"sub", "{} UTC"})
LETTERS = re.compile(r"[^\W\d_]{2,}")
VERBATIM = re.compile(r"<(code|pre|script|style)\b.*?</\1>", re.DOTALL)
MARKS = {"_": 1, "later": 1, "gettext": 1, "lazy_gettext": 1, "ngettext": 2}
"""The functions that mark, and how many of their first arguments are texts."""
GAP = re.compile(r"%\((\w+)\)s")


def written(source: str) -> Iterator[str]:
    """What a template says by itself: its text, with what is filled in left out."""
    filled, inside = [], 0
    for _line, kind, value in Environment(autoescape=True).lex(NO_TEXT.sub("", source)):
        if kind in ("variable_begin", "block_begin", "comment_begin"):
            inside += 1
            filled.append("{" if kind == "variable_begin" else "")
        elif kind in ("variable_end", "block_end", "comment_end"):
            inside -= 1
            filled.append("}" if kind == "variable_end" else "")
        elif kind == "data" and not inside:
            filled.append(value)
    text = VERBATIM.sub("", "".join(filled))
    yield from ATTRIBUTE.findall(text)
    yield from ATTRIBUTES.sub("", TAGS.sub("\n", text)).splitlines()


def unmarked(source: str) -> list[str]:
    found = (one.strip() for one in written(source))
    return [one for one in found if LETTERS.search(one) and one not in NAMES]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def is_put_together(node: ast.expr) -> bool:
    """Then no catalogue has it. What a service said, or a table holds, may be there."""
    return isinstance(node, ast.JoinedStr | ast.BinOp)


def in_python(source: str) -> list[str]:
    """Texts that nobody can collect, gaps that nobody fills, and texts that are not marked."""
    found = []
    for name, call in calls(ast.parse(source)):
        texts = call.args[: MARKS.get(name, 0)]
        if any(map(is_put_together, texts)):
            found.append(f"line {call.lineno}: {name} of a text that is put together")
        told = [str(ast.literal_eval(one)) for one in texts if is_text(one)]
        wanted = {gap for one in told for gap in GAP.findall(one)}
        given = {str(one.arg) for one in call.keywords} | ({"num"} if name == "ngettext" else set())
        if texts and call.keywords and wanted - given:
            found.append(f"line {call.lineno}: nothing fills {sorted(wanted - given)}")
        if name == "flash" and call.args and is_text(call.args[0]):
            found.append(f"line {call.lineno}: flash of a text that is not marked")
    return found


def test_there_is_something_to_look_at() -> None:
    assert len(TEMPLATES) > 80
    assert len(SOURCES) > 100


def test_templates_say_nothing_by_themselves() -> None:
    found = {named(one): unmarked(one.read_text(encoding="utf-8")) for one in TEMPLATES}
    assert {name: said for name, said in found.items() if said} == {}


def test_what_views_say_can_be_collected_and_filled() -> None:
    found = {named(one): in_python(one.read_text(encoding="utf-8")) for one in SOURCES}
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<p>{{ _("Hello") }}, you</p>',
        '<input placeholder="Your name">',
        "{% if a %}Yes{% endif %}",
    ],
)
def test_what_is_not_marked_in_a_template_is_found(source: str) -> None:
    assert unmarked(source)


@pytest.mark.parametrize(
    "source",
    ['<p class="one">{{ _("Hello") }} · 2</p>', "<code>idp serve</code>", '<a title="{{ _(x) }}">'],
)
def test_what_is_marked_is_not(source: str) -> None:
    assert unmarked(source) == []


@pytest.mark.parametrize(
    "source", ['flash("Saved.")', '_(f"Hello {x}")', '_("To %(name)s", nam=x)', "later(a + b)"]
)
def test_what_cannot_be_translated_in_python_is_found(source: str) -> None:
    assert in_python(source)
