"""A browser without JavaScript: keeps cookies, follows redirects, fills in forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.helpers.cookies import CookieTransport
from tests.helpers.html import Button, Document, Form, parse
from tests.helpers.plain import PLAIN

_MOST_REDIRECTS = 10
_BODY_KEPT = frozenset({307, 308})


@dataclass(frozen=True)
class Page:
    """Where the browser stopped, inside the provider. ``url`` is what the address bar shows."""

    response: httpx.Response

    @property
    def url(self) -> str:
        return str(self.response.url)

    @property
    def path(self) -> str:
        return self.response.url.path

    @property
    def status(self) -> int:
        return self.response.status_code

    @cached_property
    def document(self) -> Document:
        return parse(self.response.text, self.url)

    def form(self, path: str) -> Form:
        """The form whose action's path ends in ``path``. Raises ``LookupError``."""
        for form in self.document.forms:
            if urlsplit(form.action).path.endswith(path):
                return form
        raise LookupError(f"no form to {path} among {[f.action for f in self.document.forms]}")

    def link(self, label: str) -> str:
        """The address behind the link that says ``label``. Raises ``LookupError``."""
        for found, address in self.document.links:
            if found == label:
                return address
        raise LookupError(f"no link {label!r} among {[found for found, _ in self.document.links]}")


@dataclass(frozen=True)
class Departure:
    """The browser was sent away from the provider, to ``url``; ``form`` is what it would post."""

    url: str
    form: Mapping[str, str] | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """What the other side receives: the query, the fragment and the posted form together."""
        parts = urlsplit(self.url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        return {**dict(pairs), **dict(parse_qsl(parts.fragment)), **(self.form or {})}


Place = Page | Departure


class UserAgent:
    """One browser profile. ``home`` is the provider's origin; elsewhere it never goes.

    Give ``httpx.WSGITransport(app=app)`` as ``transport`` to talk to an application in this
    process, or nothing to talk to a server. ``client`` is there for requests of any other kind;
    it shares the cookies and follows no redirect.
    """

    def __init__(self, home: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.home = home.rstrip("/")
        self._keeper = CookieTransport(
            transport or httpx.HTTPTransport(verify=PLAIN, trust_env=False)
        )
        self.client = httpx.Client(
            base_url=self.home,
            transport=self._keeper,
            headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Tests/1"},
            timeout=30,
            trust_env=False,
        )

    @property
    def cookies(self) -> httpx.Cookies:
        """What this profile has been given, to look at and to meddle with."""
        return self._keeper.cookies

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.close()

    def get(self, url: str) -> Place:
        """Go to an address (relative to ``home``) and follow the redirects."""
        return self._arrive(self.client.get(self.absolute(url)))

    def page(self, url: str) -> Page:
        """``get``, where a page is expected. Raises ``AssertionError`` when sent away."""
        place = self.get(url)
        assert isinstance(place, Page), f"sent away to {place.url}"
        return place

    def submit(
        self,
        page: Page,
        form: Form,
        values: Mapping[str, str] | None = None,
        *,
        button: Button | str | None = None,
    ) -> Place:
        """Fill ``values`` in and press ``button`` (or its label; left out: the Enter key).

        Raises ``LookupError`` for a value that the form has no field for.
        """
        if unknown := set(values or {}) - set(form.inputs):
            raise LookupError(f"no field {unknown} among {set(form.inputs)}")
        if isinstance(button, str):
            button = form.button(button)
        elif button is None and form.buttons:
            button = form.buttons[0]
        data = {**form.fields, **(values or {})}
        if button is not None and button.name:
            data[button.name] = button.value
        target = button.action if button is not None and button.action else form.action
        if form.method == "get":
            return self._arrive(self.client.get(target, params=data))
        response = self.client.post(target, data=data, headers=_provenance(page))
        return self._arrive(response)

    def json(self, url: str, body: Mapping[str, Any]) -> httpx.Response:
        """Post JSON and follow nothing."""
        headers = {"Accept": "application/json", "Origin": self.home}
        return self.client.post(self.absolute(url), json=dict(body), headers=headers)

    def absolute(self, url: str) -> str:
        """``url`` as the address bar would have it."""
        return urljoin(f"{self.home}/", url)

    def _arrive(self, response: httpx.Response) -> Place:
        for _ in range(_MOST_REDIRECTS):
            if not response.has_redirect_location:
                return self._settle(response)
            target = urljoin(str(response.url), response.headers["Location"])
            if not self._is_home(target):
                return Departure(target)
            response = self._redirected(response, target)
        raise AssertionError(f"redirected without end, lastly to {response.url}")

    def _redirected(self, response: httpx.Response, target: str) -> httpx.Response:
        if response.status_code in _BODY_KEPT and response.request.method == "POST":
            content = response.request.content
            kind = response.request.headers.get("Content-Type", "")
            return self.client.post(target, content=content, headers={"Content-Type": kind})
        return self.client.get(target)

    def _settle(self, response: httpx.Response) -> Place:
        """A page that is nothing but a form to elsewhere (form_post) submits itself."""
        page = Page(response)
        if "html" not in response.headers.get("Content-Type", ""):
            return page
        if response.text.count("<form") != 1:  # many a page is never read
            return page
        forms = page.document.forms
        if len(forms) == 1 and not self._is_home(forms[0].action):
            return Departure(forms[0].action, dict(forms[0].fields))
        return page

    def _is_home(self, url: str) -> bool:
        return _origin(url) == _origin(self.home)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _provenance(page: Page) -> dict[str, str]:
    """What a browser says about where a form stood (Fetch, "append a request Origin header")."""
    if "no-referrer" in page.response.headers.get("Referrer-Policy", "").split(","):
        return {"Origin": "null"}
    scheme, host = _origin(page.url)
    return {"Origin": f"{scheme}://{host}", "Referer": page.url}
