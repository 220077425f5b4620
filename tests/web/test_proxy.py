"""The caller's address, as proxies tell it. Who is not trusted tells nothing."""

from ipaddress import ip_network

import pytest

from idp.web.proxy import client_of

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
PROXY, CLIENT = "10.0.0.1", "203.0.113.6"

TOLD = {
    "an address": (CLIENT, CLIENT),
    "what the sender said before": (f"198.51.100.9, {CLIENT}", CLIENT),
    "by another proxy of ours": (f"{CLIENT}, 10.0.0.2", CLIENT),
    "by one that tells its port": (f"{CLIENT}, 10.0.0.2:4711", CLIENT),
    "with a port": (f"{CLIENT}:4711", CLIENT),
    "IPv6": ("2001:db8::6", "2001:db8::6"),
    "IPv6 in brackets": ("[2001:db8::6]", "2001:db8::6"),
    "IPv6 with a port": ("[2001:db8::6]:4711", "2001:db8::6"),
    "IPv6 of a proxy of ours": (f"{CLIENT}, [fd00::1]:4711", CLIENT),
    "nothing": ("", PROXY),
    "no address": ("unknown", PROXY),
    "no address with a port": ("unknown:4711", PROXY),
    "no port": (f"{CLIENT}:port", PROXY),
    "a port that is none": (f"{CLIENT}:471100", PROXY),
    "no address before ours": ("unknown, 10.0.0.2", PROXY),
    "empty brackets": ("[]", PROXY),
    "none but ours": ("10.0.0.3, 10.0.0.2", PROXY),
}


@pytest.mark.parametrize(("header", "client"), TOLD.values(), ids=TOLD)
def test_the_nearest_that_is_no_proxy_of_ours(header: str, client: str) -> None:
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": header}
    assert client_of(environ, TRUSTED) == client


@pytest.mark.parametrize("header", [CLIENT, f"{CLIENT}:4711", "10.0.0.2"])
def test_from_anybody_else_it_is_not_read(header: str) -> None:
    environ = {"REMOTE_ADDR": "198.51.100.9", "HTTP_X_FORWARDED_FOR": header}
    assert client_of(environ, TRUSTED) == "198.51.100.9"
    assert client_of(environ, []) == "198.51.100.9"
