"""What can be done on a page: answer it by a method, or press one of its buttons and links."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import pyotp

from tests.helpers.html import Button, Form, find_object
from tests.helpers.user_agent import Departure, Page, Place, UserAgent
from tests.stateful.browsing import Attempt, Tab
from tests.stateful.proofs import passkey
from tests.stateful.town import Resident

FIELDS: Final = {
    "password": "password",
    "totp": "otp",
    "passkey": "passkey_response",
    "recovery_code": "recovery_code",
    "magic_link": "code",
}
_SEED = re.compile(r'id="totp-secret">([A-Z2-7 ]+)<')
_ELSEWHERE: Final = ("/login/forgotten", "/login/register", "/static", "/me/")

Submit = Callable[[UserAgent], Place]
Made = tuple[Attempt | None, Submit]
"""What it would prove, and how it is done. No attempt: nothing can come of it yet."""


@dataclass(frozen=True)
class Move:
    """Somebody answers by a method; ``right`` or with something made up."""

    who: Resident
    method: str
    right: bool = True
    remember: bool = False


def asked_on(page: Page) -> list[str]:
    """The methods whose fields are on the page, in the order of the forms."""
    names = [name for form in page.document.forms for name in form.inputs]
    methods = {field: method for method, field in FIELDS.items()}
    return [methods[name] for name in names if name in methods]


def make(tab: Tab, move: Move) -> Made | None:
    """How the move is made on that page, or past it; None where it cannot be thought of."""
    form = _form_with(tab.page, FIELDS[move.method])
    if form is None:
        return _past_the_page(tab, move)
    if move.method == "passkey":
        return _with_a_passkey(tab, move, form)
    if move.method == "totp" and (found := _SEED.search(tab.page.response.text)):
        return _with_a_new_app(tab, move, form, found[1].replace(" ", ""))
    secret = secret_of(move)
    if secret is None:
        return None
    values = {FIELDS[move.method]: secret}
    return _attempt(tab, move), _submission(tab, move, form, values)


def secret_of(move: Move) -> str | None:
    """What is typed; None where she has nothing to type."""
    who = move.who
    if move.method not in who.has:
        return None
    if not move.right:
        return {"recovery_code": "0" * 24}.get(move.method, "000000")
    return {
        "password": lambda: who.account.password,
        "totp": who.code,
        "recovery_code": who.codes.pop,
        "magic_link": who.mailed_code,
    }[move.method]()


def _attempt(tab: Tab, move: Move, **changes: Any) -> Attempt:
    known: dict[str, Any] = {
        "shows": move.who.shows(move.method),
        "right": move.right,
        "remember": move.remember and "remember" in _inputs(tab.page),
        "sign_in": tab.sign_in,
    }
    return Attempt(who=move.who, method=move.method, **{**known, **changes})


def _inputs(page: Page) -> set[str]:
    return {name for form in page.document.forms for name in form.inputs}


def _submission(
    tab: Tab, move: Move, form: Form, values: Mapping[str, str], button: Button | None = None
) -> Submit:
    typed = {**values, **named(form, move.who)}
    if move.remember and "remember" in form.inputs:
        typed["remember"] = form.inputs["remember"].get("value", "on")
    return lambda agent: agent.submit(tab.page, form, typed, button=button)


def named(form: Form, who: Resident) -> dict[str, str]:
    """Her name, where the form lets it be typed."""
    return {"username": who.email} if "readonly" not in form.inputs.get("username", _NO) else {}


_NO: Final = {"readonly": ""}


def _form_with(page: Page, field: str) -> Form | None:
    return next((form for form in page.document.forms if field in form.inputs), None)


def _with_a_passkey(tab: Tab, move: Move, form: Form) -> Made | None:
    options = find_object(list(tab.data), "challenge")
    if options is None:
        return None
    makes = "pubKeyCredParams" in options
    move = _setting_up(tab, move) if makes else move
    signed = move.who.make_key(options) if makes else move.who.sign(options, right=move.right)
    if signed is None:
        return None
    shows = passkey(verified=True) if makes else move.who.shows("passkey")
    button = form.scripted[0] if form.scripted else None
    attempt = _attempt(tab, move, shows=shows, sets_up=makes, right=makes or move.right)
    values = {FIELDS["passkey"]: signed}
    return attempt, _submission(tab, move, form, values, button)


def _with_a_new_app(tab: Tab, move: Move, form: Form, seed: str) -> Made:
    move = _setting_up(tab, move)
    code = move.who.first_code(seed) if move.right else pyotp.TOTP(pyotp.random_base32()).now()
    attempt = _attempt(tab, move, sets_up=True)
    return attempt, _submission(tab, move, form, {FIELDS["totp"]: code})


def _setting_up(tab: Tab, move: Move) -> Move:
    return replace(move, who=tab.whose or move.who)


def _past_the_page(tab: Tab, move: Move) -> Made | None:
    """Sent straight to the method's address, whether or not the page leads there."""
    if tab.sign_in is None or move.method in ("passkey", "magic_link"):
        return None
    secret = secret_of(move)
    if secret is None:
        return None
    body = {"username": move.who.email, FIELDS[move.method]: secret}
    url = f"/login/{tab.sign_in}/{move.method}"
    attempt = _attempt(tab, move, remember=False)
    return attempt, lambda agent: _by_json(agent, url, body, tab.page)


def _by_json(agent: UserAgent, url: str, body: Mapping[str, str], page: Page) -> Place:
    response = agent.json(url, body)
    told = response.json()
    if "redirect" not in told:
        assert told.keys() & {"next", "error"}, f"neither on nor back: {told}"
        return agent.get(page.url)
    target = urljoin(page.url, told["redirect"])
    return agent.get(target) if target.startswith(f"{agent.home}/") else Departure(target)


@dataclass(frozen=True)
class Control:
    """A button or a link of a page."""

    tab: Tab
    label: str
    address: str
    form: Form | None = None
    button: Button | None = None

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    @property
    def value(self) -> str:
        return self.button.value if self.button else ""

    @property
    def refuses(self) -> bool:
        """Does it say no to the application?"""
        says_no = self.path.endswith("/consent") and self.value == "cancel"
        return self.path.endswith("/cancel") or says_no

    def use(self, agent: UserAgent, who: Resident) -> Place:
        """Press it, with her name where one is asked for and a box ticked where there is one."""
        if self.form is None:
            return agent.get(self.address)
        typed = named(self.form, who) | ({"saved": "yes"} if "saved" in self.form.inputs else {})
        return agent.submit(self.tab.page, self.form, typed, button=self.button)


def controls(tab: Tab) -> list[Control]:
    """All that can be pressed, but for what leads away from signing in."""
    document, home = tab.page.document, tab.browser.agent.home
    links = [Control(tab, label, address) for label, address in document.links]
    buttons = [
        Control(tab, button.label, button.action or form.action, form, button)
        for form in document.forms
        for button in form.buttons
    ]
    return [one for one in (*buttons, *links) if _is_pressed(one, tab, home)]


def _is_pressed(control: Control, tab: Tab, home: str) -> bool:
    if tab.page.path.startswith("/me") or not control.address.startswith(f"{home}/"):
        return False
    if control.path.startswith(_ELSEWHERE) or control.path.endswith("/forgotten"):
        return False
    return "#" not in control.address


def onward(tab: Tab, who: Resident, in_vain: Container[str] = ()) -> Control | None:
    """What somebody presses who wants to get through, where the page has no field for her."""
    tried = {f"/{method}" for method in FIELDS if method in in_vain}
    found = [one for one in controls(tab) if not one.path.endswith(tuple(tried))]
    for fits in _ONWARD:
        for control in found:
            if fits(control, who):
                return control
    return None


def _leads_to_what_she_has(control: Control, who: Resident) -> bool:
    method = control.path.rpartition("/")[2]
    leads = method in FIELDS and method in who.has
    return leads and (control.form is None or control.value == "link")


_ONWARD: Final[tuple[Callable[[Control, Resident], bool], ...]] = (
    lambda control, _: control.path.endswith(("/saved", "/later")),
    lambda control, who: control.path.endswith("/account") and control.value == who.id,
    lambda control, _: control.path.endswith("/account") and control.value == "other",
    lambda control, _: control.path.endswith("/consent") and control.value == "allow",
    _leads_to_what_she_has,
    lambda control, _: control.label.startswith("Set up"),
    lambda control, _: control.path.endswith("/leave"),
    lambda control, _: control.form is None,
)
