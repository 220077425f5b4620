"""What each kind of application is, and what choosing it decides, in words."""

from typing import Any, Final

from flask_babel import lazy_gettext as later

from idp.protocol.vocabulary import DEVICE_CODE
from idp.services.client_presets import Preset

ABOUT: Final = {
    "web": later("Runs on a server of yours that can keep a secret: Grafana, GitLab, Django."),
    "browser": later("Runs in people’s browsers alone, and can keep no secret."),
    "native": later("Is installed on phones or computers."),
    "device": later("Has no browser of its own: people type a short code elsewhere."),
    "machine": later("Acts for itself: nobody signs in."),
}

_GRANTS: Final = {
    "authorization_code": later("People sign in here and come back with a code"),
    DEVICE_CODE: later("People sign in on another device and type a code"),
    "client_credentials": later("It gets tokens for itself, for no person"),
}


def chose(preset: Preset) -> list[Any]:
    """Grants, PKCE, authentication and consent, a sentence each."""
    members: Any = preset.members
    sentences = [text for grant, text in _GRANTS.items() if grant in members["grant_types"]]
    if "refresh_token" in members["grant_types"]:
        sentences.append(later("It may stay connected, where people allow that"))
    pkce = members.get("require_pkce", True)
    if preset.redirects:
        sentences.append(
            later("PKCE is always required (S256)")
            if pkce
            else later("PKCE is not required: not every version of it sends it")
        )
    method = members["token_endpoint_auth_method"]
    public = method == "none"
    sentences.append(
        later("It has no secret, so PKCE and exact addresses protect it")
        if public and preset.redirects
        else later("It has no secret")
        if public
        else later("It authenticates with a secret (%(method)s)", method=method)
    )
    if "scope" in members:
        sentences.append(later("It may ask for: %(scope)s", scope=members["scope"]))
    if preset.name != "machine":
        sentences.append(later("People are asked once what it may see"))
    return sentences
