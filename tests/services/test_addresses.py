"""Addresses and user names: one form each, and nothing that could pass for two."""

import unicodedata

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.services.addresses import (
    LONGEST_ADDRESS,
    NOT_AN_ADDRESS,
    normalise_email,
    normalise_login,
    normalise_username,
)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann@Example.COM\n", "ann@example.com"),
        ("ann+shop@example.com", "ann+shop@example.com"),
        ("o'brien.a_b-c@sub.example.com", "o'brien.a_b-c@sub.example.com"),
        ("\uff41\uff4e\uff4e@example.com", "ann@example.com"),
        ("ann@\uff45xample.com", "ann@example.com"),
        ("\u212aatie@example.com", "katie@example.com"),
        ("m\u00fcller@m\u00fcnchen.example", "m\u00fcller@xn--mnchen-3ya.example"),
        ("mu\u0308ller@mu\u0308nchen.example", "m\u00fcller@xn--mnchen-3ya.example"),
        ("M\u00dcLLER@XN--MNCHEN-3YA.example", "m\u00fcller@xn--mnchen-3ya.example"),
        ("stra\u00dfe@example.com", "stra\u00dfe@example.com"),
        ("ann@fa\u00df.example", "ann@xn--fa-hia.example"),
        ("\u5c71\u7530@\u4f8b\u3048.example", "\u5c71\u7530@xn--r8jz45g.example"),
        ("root@localhost", "root@localhost"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_one_form(typed: str, stored: str) -> None:
    assert normalise_email(typed) == stored
    assert normalise_email(stored) == stored
    assert normalise_login(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="nothing"),
        pytest.param("ann", id="no at"),
        pytest.param("@example.com", id="no local part"),
        pytest.param("ann@", id="no domain"),
        pytest.param("ann@example.com@evil.example", id="two ats"),
        pytest.param("ann@@example.com", id="two ats side by side"),
        pytest.param("ann\uff20example.com", id="full-width at alone"),
        pytest.param("ann@example.com\uff20evil.example", id="full-width at as the second"),
        pytest.param("ann\uff20evil.example@example.com", id="full-width at in the local part"),
        pytest.param("ann\ufe6bexample.com", id="small at"),
        pytest.param("ann@example\uff0ecom", id="full-width dot"),
        pytest.param("ann@example\u3002com", id="ideographic dot"),
        pytest.param("ann@example\uff61com", id="half-width ideographic dot"),
        pytest.param("a\u2026b@example.com", id="ellipsis that becomes dots"),
        pytest.param("ann@example.com.", id="dot at the end"),
        pytest.param("ann.@example.com", id="dot before the at"),
        pytest.param(".ann@example.com", id="dot in front"),
        pytest.param("an..n@example.com", id="two dots"),
        pytest.param("ann@example..com", id="two dots in the domain"),
        pytest.param("ann@.example.com", id="dot after the at"),
        pytest.param("an n@example.com", id="space"),
        pytest.param("an\u00a0n@example.com", id="no-break space"),
        pytest.param("ann@exam ple.com", id="space in the domain"),
        pytest.param("ann\r\nBcc: all@example.com", id="line end"),
        pytest.param("ann\x00@example.com", id="NUL"),
        pytest.param("ann\u200d@example.com", id="joiner"),
        pytest.param("ann\u202ebob@example.com", id="direction override"),
        pytest.param("ann\ud800@example.com", id="lone surrogate"),
        pytest.param("\U0001f600@example.com", id="emoji"),
        pytest.param('"ann"@example.com', id="quoted"),
        pytest.param("Ann <ann@example.com>", id="with a name"),
        pytest.param("ann,bob@example.com", id="comma"),
        pytest.param("ann@[192.0.2.1]", id="address literal"),
        pytest.param("ann@-example.com", id="hyphen first"),
        pytest.param("ann@exam_ple.com", id="underscore in the domain"),
        pytest.param("ann@\u2603.example", id="symbol in the domain"),
        pytest.param("ann@xn--a.example", id="broken A-label"),
        pytest.param("a" * 65 + "@example.com", id="local part too long"),
        pytest.param("\u00fc" * 33 + "@example.com", id="local part too long in octets"),
        pytest.param("ann@" + "b" * 64 + ".example", id="label too long"),
        pytest.param("ann@" + "b." * 126 + "example", id="domain too long"),
        pytest.param("a@b" * 1000, id="endless"),
    ],
)
def test_no_address(typed: str) -> None:
    with pytest.raises(ValueError, match=NOT_AN_ADDRESS):
        normalise_email(typed)
    assert normalise_login(typed) is None or "@" not in typed


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_passes_is_one_clean_address(local: str, domain: str) -> None:
    try:
        address = normalise_email(f"{local}@{domain}")
    except ValueError:
        return
    assert normalise_email(address) == address
    assert address.count("@") == 1
    assert address == address.strip().lower()
    assert unicodedata.normalize("NFKC", address) == address
    assert address.partition("@")[2].isascii()
    assert len(address.encode()) <= 254
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Zs") for char in address)


@given(st.emails())
def test_ordinary_addresses_pass(address: str) -> None:
    assert normalise_email(address) == address.lower()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("ann", "ann"), (" Ann ", "ann"), ("a", "a"), ("ann.b-c_9", "ann.b-c_9"), ("a" * 64,) * 2],
)
def test_user_names(typed: str, stored: str) -> None:
    assert normalise_username(typed) == normalise_login(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ann@example.com",
        "ann\uff20example.com",
        ".ann",
        "ann-",
        "an n",
        "\u0430nn",
        "\uff41nn",
        "a" * 65,
        "a\x00b",
    ],
)
def test_no_user_names(typed: str) -> None:
    with pytest.raises(ValueError, match="A user name has"):
        normalise_username(typed)


DOMAINS = st.one_of(
    st.from_regex(r"[a-z0-9.-]{1,12}", fullmatch=True),
    st.from_regex(r"[a-z0-9-]{60,66}(\.[a-z0-9]{60,64}){0,4}", fullmatch=True),
    st.sampled_from(("xn--mnchen-3ya.example", "ab--c.example", "a" * 63, "a" * 64, "1.2.3.4")),
)


@given(DOMAINS)
def test_a_plain_domain_is_what_idna_says(domain: str) -> None:
    try:
        expected = idna.encode(domain, strict=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        expected = None
    expected = None if domain.endswith(".") or len(f"a@{domain}") > LONGEST_ADDRESS else expected
    try:
        found = normalise_email(f"a@{domain}").partition("@")[2]
    except ValueError:
        found = None
    assert found == expected
