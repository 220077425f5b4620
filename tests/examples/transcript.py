"""Requests and answers as a page shows them: whole, readable, and the same at every run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

_SHOWN_HEADERS = ("Location", "WWW-Authenticate")


@dataclass
class Scribe:
    """Writes down what went over the wire. What is random in it gets a name that stands for it."""

    names: dict[str, str] = field(default_factory=dict)

    def call(self, value: object, name: str) -> None:
        """From now on ``value`` is written as ``name``."""
        self.names[str(value)] = name

    def _named(self, text: str) -> str:
        for value in sorted(self.names, key=len, reverse=True):
            text = text.replace(value, self.names[value])
        return text

    def request(self, url: str, *, only: tuple[str, ...] = ()) -> str:
        """An authorization request, a parameter a line; ``only`` leaves the everyday ones out."""
        parts = urlsplit(url)
        pairs = [pair for pair in parts.query.split("&") if not only or pair.split("=")[0] in only]
        lines = [f"GET {parts.path}?{pairs[0]}", *(f"    &{pair}" for pair in pairs[1:])]
        rest = [] if len(pairs) == len(parts.query.split("&")) else ["    &…"]
        shown = "\n".join([*lines, *rest])
        return self._named(f"{shown} HTTP/1.1\nHost: {parts.netloc}\n")

    def redirect(self, url: str) -> str:
        """The answer that sends the browser to ``url``, a parameter a line."""
        base, _, query = url.partition("?")
        folded = "\n    &".join(query.split("&"))
        return self._named(f"HTTP/1.1 303 See Other\nLocation: {base}?{folded}\n")

    def answer(self, response: httpx.Response) -> str:
        """Status, the headers that matter, and the body where it is JSON."""
        status = response.status_code
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        has_json = "json" in response.headers.get("Content-Type", "")
        for name in (*_SHOWN_HEADERS, *(["Content-Type"] if has_json else [])):
            lines += [f"{name}: {_folded(one)}" for one in response.headers.get_list(name)]
        text = "\n".join(lines) + "\n"
        if has_json:
            text += f"\n{_pretty(response.json())}"
        return self._named(text)

    def json(self, value: Mapping[str, object]) -> str:
        """Members in their order, two spaces deep."""
        return self._named(_pretty(value))


def _folded(value: str) -> str:
    """A challenge's parameters under each other (the folding is the page's, not the wire's)."""
    return value.replace('", ', '",\n    ')


def _pretty(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Short lists stay on one line.
    decoder = json.JSONDecoder()
    out, position = "", 0
    while (start := text.find("[", position)) >= 0:
        found, end = decoder.raw_decode(text, start)
        flat = json.dumps(found, ensure_ascii=False)
        nested = any(isinstance(item, dict | list) for item in found)
        out += text[position:start] + ("[" if nested else flat)
        position = start + 1 if nested else end
    return f"{out}{text[position:]}\n"
