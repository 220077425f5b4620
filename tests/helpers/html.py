"""What a browser without JavaScript makes of a page: title, headings, links, forms, data."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

Attributes = Mapping[str, str]
_UNSENT = frozenset({"button", "image", "reset", "submit"})


@dataclass
class Button:
    """One that submits. ``action`` is its own address, where ``formaction`` gives one."""

    name: str
    value: str
    action: str | None
    label: str = ""


@dataclass
class Form:
    """``fields`` is what would be sent as it stands, before anything is typed or ticked.

    ``inputs`` has the attributes of every field there is, by name.
    """

    action: str
    method: str
    attributes: Attributes
    fields: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Attributes] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)
    scripted: list[Button] = field(default_factory=list)
    """Elements with ``data-url``: from these a script sends the form, to that address."""

    def button(self, label: str) -> Button:
        """The button that says ``label``. Raises ``LookupError`` with those there are."""
        for button in self.buttons:
            if button.label == label:
                return button
        raise LookupError(f"no button {label!r} among {[b.label for b in self.buttons]}")


@dataclass
class Document:
    """A parsed page. Links are (label, absolute address)."""

    title: str = ""
    headings: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    text: str = ""
    data: list[Any] = field(default_factory=list)
    """Every JSON value in a ``script type="application/json"`` or a ``data-`` attribute."""


def parse(markup: str, url: str) -> Document:
    """Parse a page that was fetched from ``url``, against which its addresses are resolved."""
    parser = _Parser(url)
    parser.feed(markup)
    parser.close()
    parser.document.text = _squeeze(" ".join(parser.words))
    return parser.document


def find_object(values: list[Any], member: str) -> dict[str, Any] | None:
    """The first JSON object, however deep, that has ``member``."""
    return next((found for found in _objects(values) if member in found), None)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _objects(inner)


@dataclass
class _Capture:
    """An element whose text is wanted when it closes."""

    tag: str
    attributes: Attributes
    words: list[str] = field(default_factory=list)

    @property
    def raw(self) -> str:
        return "".join(self.words)

    @property
    def text(self) -> str:
        return _squeeze(self.raw)


_UNSEEN = frozenset({"script", "style", "template", "title"})
_CAPTURED = _UNSEEN | {"a", "button", "h1", "h2", "h3", "textarea"}


def _squeeze(text: str) -> str:
    return " ".join(text.split())


class _Parser(HTMLParser):
    """Dispatches on the tag: ``_open_<tag>(attributes)`` and ``_close_<tag>(capture)``."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.document = Document()
        self.words: list[str] = []
        self._url = url
        self._captures: list[_Capture] = []
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._select: tuple[Form, str] | None = None
        self._button: Button | None = None

    def updatepos(self, i: int, j: int) -> int:
        """Nobody asks in which line something stood; counting them takes a tenth of the time."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        for name, value in attributes.items():
            if name.startswith("data-") and value.startswith(("{", "[")):
                self._keep_json(value)
        if self._form is not None and "data-url" in attributes:
            target = urljoin(self._url, attributes["data-url"])
            self._form.scripted.append(Button("", "", target))
        if tag in _CAPTURED:
            self._captures.append(_Capture(tag, attributes))
        if handler := getattr(self, f"_open_{tag}", None):
            handler(attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif any(capture.tag == tag for capture in self._captures):
            while (capture := self._captures.pop()).tag != tag:
                pass
            if handler := getattr(self, f"_close_{tag}", None):
                handler(capture)

    def handle_data(self, data: str) -> None:
        unseen = any(capture.tag in _UNSEEN for capture in self._captures)
        for capture in self._captures:
            if capture.tag in _UNSEEN or not unseen:
                capture.words.append(data)
        if not unseen:
            self.words.append(data)

    def _keep_json(self, text: str) -> None:
        with suppress(json.JSONDecodeError):
            self.document.data.append(json.loads(text))

    def _owner(self, attributes: Attributes) -> Form | None:
        """HTML 4.10.18.3: a ``form`` attribute wins over the form around."""
        return self._by_id.get(attributes.get("form", ""), self._form)

    def _close_title(self, capture: _Capture) -> None:
        # A drawing may have a title as well; the page's stands first.
        self.document.title = self.document.title or capture.text

    def _close_h1(self, capture: _Capture) -> None:
        self.document.headings.append(capture.text)

    _close_h2 = _close_h3 = _close_h1

    def _close_a(self, capture: _Capture) -> None:
        href = capture.attributes.get("href", "")
        self.document.links.append((capture.text, urljoin(self._url, href)))

    def _close_script(self, capture: _Capture) -> None:
        if capture.attributes.get("type") == "application/json":
            self._keep_json(capture.raw)

    def _open_form(self, attributes: Attributes) -> None:
        action = urljoin(self._url, attributes.get("action", ""))
        self._form = Form(action, attributes.get("method", "get").lower(), attributes)
        if "id" in attributes:
            self._by_id[attributes["id"]] = self._form
        self.document.forms.append(self._form)

    def _open_input(self, attributes: Attributes) -> None:
        form, kind = self._owner(attributes), attributes.get("type", "text").lower()
        if form is None or "disabled" in attributes:
            return
        if kind == "submit":
            form.buttons.append(self._new_button(attributes, label=attributes.get("value", "")))
        elif kind not in _UNSENT:
            self._keep_input(form, kind, attributes)

    def _keep_input(self, form: Form, kind: str, attributes: Attributes) -> None:
        name = attributes.get("name")
        if not name:
            return
        form.inputs.setdefault(name, attributes)
        tickable = kind in ("checkbox", "radio")
        if not tickable or "checked" in attributes:
            form.fields[name] = attributes.get("value", "on" if tickable else "")

    def _close_textarea(self, capture: _Capture) -> None:
        if form := self._owner(capture.attributes):
            # HTML 13.1.2.5: a line break straight after the tag is not content.
            value = capture.raw.removeprefix("\n")
            self._keep_input(form, "textarea", {**capture.attributes, "value": value})

    def _open_select(self, attributes: Attributes) -> None:
        form, name = self._owner(attributes), attributes.get("name", "")
        if form is not None and name:
            form.inputs[name] = attributes
            self._select = (form, name)

    def _open_option(self, attributes: Attributes) -> None:
        if self._select is not None:
            form, name = self._select
            if "selected" in attributes or name not in form.fields:
                form.fields[name] = attributes.get("value", "")

    def _open_button(self, attributes: Attributes) -> None:
        form = self._owner(attributes)
        if form is not None and attributes.get("type", "submit") == "submit":
            self._button = self._new_button(attributes)
            form.buttons.append(self._button)

    def _close_button(self, capture: _Capture) -> None:
        if self._button is not None:
            self._button.label = capture.text
            self._button = None

    def _new_button(self, attributes: Attributes, label: str = "") -> Button:
        action = attributes.get("formaction")
        resolved = urljoin(self._url, action) if action is not None else None
        return Button(attributes.get("name", ""), attributes.get("value", ""), resolved, label)
