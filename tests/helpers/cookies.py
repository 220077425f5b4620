"""Cookies as browsers keep them on a developer's machine."""

from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from urllib.request import Request

import httpx

# urllib writes a host without dots like this.
_LOCALHOST = ("localhost", "localhost.local")


class BrowserPolicy(DefaultCookiePolicy):
    """Sends ``Secure`` cookies to a loopback host without TLS, as browsers do."""

    def return_ok_secure(self, cookie: Cookie, request: Request) -> bool:
        return super().return_ok_secure(cookie, request) or _is_loopback(request)


def _is_loopback(request: Request) -> bool:
    host = request.host.rpartition(":")[0] or request.host
    if host in _LOCALHOST or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class CookieTransport(httpx.BaseTransport):
    """Keeps ``cookies`` for what goes through it.

    httpx's client does so too, but copies them into a jar without our policy for each request.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.cookies = httpx.Cookies(CookieJar(policy=BrowserPolicy()))
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.pop("Cookie", None)
        self.cookies.set_cookie_header(request)
        response = self._inner.handle_request(request)
        response.request = request
        self.cookies.extract_cookies(response)
        return response

    def close(self) -> None:
        self._inner.close()
