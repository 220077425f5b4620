"""A redirect address is the registered text, or the same loopback address on another port."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.redirect_uris import check_redirect_uri, is_registered, matches
from idp.protocol.urls import origin

HTTPS = "https://app.example/cb"

SAME = [
    ("the very same text", HTTPS, HTTPS),
    ("with its query", f"{HTTPS}?a=b", f"{HTTPS}?a=b"),
    ("a native scheme", "com.example.app:/cb", "com.example.app:/cb"),
    ("IPv4 loopback, other port", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"),
    ("IPv6 loopback, other port", "http://[::1]:8000/cb", "http://[::1]:9/cb"),
    ("localhost, other port", "http://localhost:9000/cb", "http://localhost:53211/cb"),
    ("loopback, port added", "http://127.0.0.1/cb", "http://127.0.0.1:4711/cb"),
    ("loopback, port left out", "http://localhost:9000/cb?x=1", "http://localhost/cb?x=1"),
    ("loopback without a path", "http://127.0.0.1:1", "http://127.0.0.1:2"),
]

DIFFERENT = [
    ("a path appended", HTTPS, f"{HTTPS}/more"),
    ("a slash appended", HTTPS, f"{HTTPS}/"),
    ("a query added", HTTPS, f"{HTTPS}?a=b"),
    ("a query left out", f"{HTTPS}?a=b", HTTPS),
    ("a fragment added", HTTPS, f"{HTTPS}#x"),
    ("another case in the host", HTTPS, "https://APP.example/cb"),
    ("another case in the path", HTTPS, "https://app.example/CB"),
    ("the default port spelled out", HTTPS, "https://app.example:443/cb"),
    ("another port of a host that is no loopback", HTTPS, "https://app.example:8443/cb"),
    ("http instead of https", HTTPS, "http://app.example/cb"),
    ("a dot segment", HTTPS, "https://app.example/x/../cb"),
    ("a percent-encoded letter", HTTPS, "https://app.example/%63b"),
    ("a trailing space", HTTPS, f"{HTTPS} "),
    ("a trailing line end", HTTPS, f"{HTTPS}\n"),
    ("a user before the host", HTTPS, "https://app.example@evil.example/cb"),
    ("a subdomain", HTTPS, "https://app.example.evil.example/cb"),
    ("a prefix of it", HTTPS, "https://app.example/c"),
    ("nothing", HTTPS, ""),
    ("loopback, other path", "http://localhost:1/cb", "http://localhost:1/other"),
    ("loopback, other host", "http://localhost:1/cb", "http://127.0.0.1:1/cb"),
    ("loopback over https, other port", "https://localhost:1/cb", "https://localhost:2/cb"),
    ("loopback, port zero", "http://localhost:1/cb", "http://localhost:0/cb"),
    ("loopback, port too large", "http://localhost:1/cb", "http://localhost:65536/cb"),
    ("loopback, port of six digits", "http://localhost:1/cb", "http://localhost:000002/cb"),
    ("loopback, port in other digits", "http://localhost:1/cb", "http://localhost:٣/cb"),
    ("loopback, empty port", "http://localhost:1/cb", "http://localhost:/cb"),
    ("loopback, a user that looks like it", "http://localhost:1/cb", "http://localhost:1@evil/cb"),
    ("loopback, a user before it", "http://localhost:1/cb", "http://evil@localhost:1/cb"),
    ("loopback, a longer name", "http://localhost:1/cb", "http://localhost.evil.example:1/cb"),
    ("loopback, a backslash", "http://localhost:1/cb", "http://localhost:1\\@evil.example/cb"),
    ("loopback, another address of 127/8", "http://127.0.0.1:1/cb", "http://127.0.0.2:1/cb"),
    ("loopback, the address as one number", "http://127.0.0.1:1/cb", "http://2130706433:1/cb"),
    ("loopback, capital letters", "http://localhost:1/cb", "http://LOCALHOST:1/cb"),
]


@pytest.mark.parametrize(("registered", "sent"), [pytest.param(*c[1:], id=c[0]) for c in SAME])
def test_accepts(registered, sent):
    assert matches(registered, sent)


@pytest.mark.parametrize(("registered", "sent"), [pytest.param(*c[1:], id=c[0]) for c in DIFFERENT])
def test_refuses(registered, sent):
    assert not matches(registered, sent)


def test_any_of_the_registered_addresses_will_do():
    assert is_registered("https://b.example/", ["https://a.example/", "https://b.example/"])
    assert not is_registered("https://c.example/", ["https://a.example/", "https://b.example/"])
    assert not is_registered("https://c.example/", [])


URLS = st.one_of(
    st.text(max_size=30),
    st.from_regex(
        r"https?://(localhost|127\.0\.0\.1|\[::1\]|app\.example)(:[0-9]{0,6})?[/?#@:.\\a-c]{0,4}",
        fullmatch=True,
    ),
)
LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?([/?#].*)?", re.DOTALL)


@given(URLS, URLS)
def test_a_differing_text_matches_only_as_a_loopback_address_on_another_port(registered, sent):
    if registered == sent or not matches(registered, sent):
        return
    ours, theirs = LOOPBACK.fullmatch(registered), LOOPBACK.fullmatch(sent)
    assert ours
    assert theirs
    assert (ours[1], ours[3]) == (theirs[1], theirs[3])
    assert ours[2] != theirs[2]


@given(URLS)
def test_every_address_matches_itself(uri):
    assert matches(uri, uri)


FINE = [
    ("https", "web", "https://app.example/cb"),
    ("https with port and query", "web", "https://app.example:8443/cb?a=b&c=%20d"),
    ("https with no path", "web", "https://app.example"),
    ("https with an underscore in the host", "web", "https://my_app.example/cb"),
    ("https at an IPv6 address", "web", "https://[2001:db8::1]:8443/cb"),
    ("http on localhost", "web", "http://localhost:9000/cb"),
    ("http on the IPv4 loopback", "web", "http://127.0.0.1:9000/cb"),
    ("http on the IPv6 loopback", "web", "http://[::1]/cb"),
    ("native: reverse DNS with one slash", "native", "com.example.app:/cb"),
    ("native: reverse DNS with two", "native", "com.example.app://callback"),
    ("native: a claimed https address", "native", "https://app.example/cb"),
    ("native: loopback", "native", "http://127.0.0.1/cb"),
]

WRONG = [
    ("plain http", "web", "http://app.example/cb", "must start with https://"),
    (
        "http on a name that begins like a loopback",
        "web",
        "http://localhost.evil.example/",
        "https://",
    ),
    (
        "http on an address that begins like one",
        "web",
        "http://127.0.0.1.evil.example/",
        "https://",
    ),
    ("native: plain http", "native", "http://app.example/cb", "must start with https://"),
    ("a fragment", "web", "https://app.example/cb#x", "# part"),
    ("an empty fragment", "web", "https://app.example/cb#", "# part"),
    ("native: a fragment", "native", "com.example.app:/cb#x", "# part"),
    ("a wildcard host", "web", "https://*.app.example/cb", "wildcards are off"),
    ("a wildcard path", "web", "https://app.example/*", "wildcards are off"),
    ("a user in it", "web", "https://me:pw@app.example/cb", "user name or password"),
    ("no host", "web", "https:///cb", "needs a host"),
    ("no scheme", "web", "app.example/cb", "not a complete URL"),
    ("a path alone", "web", "/cb", "not a complete URL"),
    ("nothing", "web", "", "not a complete URL"),
    ("a space", "web", "https://app.example/c b", "not a complete URL"),
    ("a line end", "web", "https://app.example/cb\n", "not a complete URL"),
    ("a NUL", "web", "https://app.example/\x00", "not a complete URL"),
    ("a letter outside ASCII", "web", "https://äpp.example/cb", "not a complete URL"),
    ("a backslash", "web", "https://app.example\\@evil.example/", "not a complete URL"),
    ("a half percent sign", "web", "https://app.example/%4", "not a complete URL"),
    ("a port that is no number", "web", "https://app.example:cb/", "not a complete URL"),
    ("a port out of range", "web", "https://app.example:65536/", "not a complete URL"),
    ("port zero", "web", "https://app.example:0/", "not a complete URL"),
    ("an unclosed bracket", "web", "https://[::1/cb", "not a complete URL"),
    ("text after the bracket", "web", "https://[::1]x/cb", "needs a host"),
    ("a semicolon in the host", "web", "https://a;script-src/cb", "needs a host"),
    ("an apostrophe in the host", "web", "https://'unsafe-inline'/cb", "needs a host"),
    ("a script", "web", "javascript:alert(1)", "must start with https://"),
    ("native: a script", "native", "javascript:alert(1)", "domain name reversed"),
    ("native: data", "native", "data:text/html,x", "domain name reversed"),
    ("native: a scheme without a dot", "native", "myapp:/cb", "domain name reversed"),
    ("native: nothing after the scheme", "native", "com.example.app:", "needs a path"),
    ("web: a native scheme", "web", "com.example.app:/cb", 'application_type "native"'),
    ("web: another scheme", "web", "example:/cb", "must start with https://"),
    ("longer than anyone needs", "web", f"https://app.example/{'a' * 2000}", "not a complete"),
]


@pytest.mark.parametrize(("kind", "uri"), [pytest.param(*c[1:], id=c[0]) for c in FINE])
def test_may_be_registered(kind, uri):
    assert check_redirect_uri(uri, kind) == ()


@pytest.mark.parametrize(
    ("kind", "uri", "sentence"), [pytest.param(*c[1:], id=c[0]) for c in WRONG]
)
def test_may_not_be_registered(kind, uri, sentence):
    assert any(sentence in problem for problem in check_redirect_uri(uri, kind))


@given(st.text(), st.sampled_from(["web", "native"]))
def test_any_text_is_judged_without_an_exception(uri, kind):
    assert all(check_redirect_uri(uri, kind)) or check_redirect_uri(uri, kind) == ()


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        pytest.param("https://App.example/cb", "https://app.example", id="host in small letters"),
        pytest.param("https://app.example:443/", "https://app.example", id="default port dropped"),
        pytest.param("https://a.example:4430/", "https://a.example:4430", id="other port kept"),
        pytest.param("http://localhost:9000/cb?x=1", "http://localhost:9000", id="loopback"),
        pytest.param("com.example.app:/cb", "com.example.app:", id="native scheme"),
        pytest.param("com.example.app://x/cb", "com.example.app:", id="native scheme with host"),
    ],
)
def test_the_origin_is_what_a_policy_header_names(uri, source):
    assert origin(uri) == source
