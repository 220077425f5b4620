"""E-mail addresses and user names: one form of each, made here and nowhere else.

Two spellings of one address must never be two accounts, nor two addresses one. So everything is
normalised first, and only what came out is judged and stored.
"""

import re
import unicodedata

import idna

LONGEST_ADDRESS = 254
"""Octets (RFC 5321 §4.5.3.1.3, less the angle brackets); the local part has at most 64."""
LONGEST_USERNAME = 64
_LONGEST_INPUT = 400

# RFC 5321 §4.1.2, Dot-string, widened to non-ASCII letters (RFC 6531). Quoted strings are left
# out: nobody has them, and they can hold spaces, quotes and a second @.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# RFC 5890 section 2.3.1: letters, digits, hyphens; none that has hyphens where IDNA has its mark.
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_DOMAIN = 253
_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")

NOT_AN_ADDRESS = "Enter an email address in the form name@example.com."
NOT_A_USERNAME = (
    f"A user name has at most {LONGEST_USERNAME} letters a to z, digits, dots, hyphens and"
    " underscores, and begins and ends with a letter or a digit."
)


def normalise_email(text: str) -> str:
    """The one form of an e-mail address. Raises ``ValueError`` with a sentence for the person.

    NFKC; the whole address in lower case, because no provider of note tells ``Ana`` from ``ana``
    and an account must not depend on how a keyboard capitalised it; the domain as A-labels (IDNA
    2008). Lower case, not case folding: ``ß`` and ``ss`` are different mailboxes.
    """
    stripped = text.strip(" \t\r\n")
    if len(stripped) > _LONGEST_INPUT or _hides_structure(stripped):
        raise ValueError(NOT_AN_ADDRESS)
    local, at, domain = _folded(stripped).partition("@")
    if not at or "@" in domain or not _is_local_part(local):
        raise ValueError(NOT_AN_ADDRESS)
    address = f"{local}@{_ascii_domain(domain)}"
    if len(address.encode()) > LONGEST_ADDRESS:
        raise ValueError(NOT_AN_ADDRESS)
    return address


def normalise_username(text: str) -> str:
    """The one form of a user name: ASCII, lower case, and never with an ``@``.

    So it is nobody's address and does not look like somebody else's name in another script.
    Raises ``ValueError`` with a sentence.
    """
    name = text.strip(" \t\r\n").lower()
    if not _USERNAME.fullmatch(name):
        raise ValueError(NOT_A_USERNAME)
    return name


def normalise_login(text: str) -> str | None:
    """What was typed to sign in, as an address or a user name is stored.

    None when nobody can be called that.
    """
    try:
        return normalise_email(text) if "@" in text else normalise_username(text)
    except ValueError:
        return None


def _folded(text: str) -> str:
    # Lowering can undo composition, so the form is made again; then a second run changes nothing.
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFKC", text).lower()
    return unicodedata.normalize("NFKC", lowered)


def _hides_structure(text: str) -> bool:
    """Does a character turn into ASCII punctuation, as the full-width U+FF20 does into ``@``?

    Or into a dot, of which IDNA knows three more.
    """
    return not text.isascii() and any(
        char in "\u3002\uff61" or not _keeps_apart(unicodedata.normalize("NFKC", char))
        for char in text
        if not char.isascii()
    )


def _keeps_apart(normalised: str) -> bool:
    return all(not char.isascii() or char.isalnum() for char in normalised)


def _is_local_part(local: str) -> bool:
    if len(local.encode("utf-8", "replace")) > 64 or not _LOCAL.fullmatch(local):
        return False
    return local.isascii() or all(
        char.isascii() or unicodedata.category(char)[0] in "LMN" for char in local
    )


def _ascii_domain(domain: str) -> str:
    if len(domain) <= _LONGEST_DOMAIN and _PLAIN.fullmatch(domain):
        return domain  # nearly all are, and to IDNA they are themselves
    if domain.endswith("."):  # idna would take the root for granted, and keep the dot
        raise ValueError(NOT_AN_ADDRESS)
    try:
        return idna.encode(domain, strict=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise ValueError(NOT_AN_ADDRESS) from None
