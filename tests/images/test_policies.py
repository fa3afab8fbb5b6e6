"""27 policies against the addresses that attackers write: told apart by rules of this file alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from monitor.images import ImageReader, SourcePolicy

from .conftest import QUICK
from .pictures import PNG
from .servers import Internet, Server, answer, redirect

PUBLIC, OTHER, NAS = "93.184.216.34", "1.1.1.1", "10.0.0.7"
NAMES = {"photos.test": PUBLIC, "other.test": OTHER, "nas.test": NAS, "meta.test": "169.254.169.254",
         "here.test": "127.0.0.1", "six.test": "fd00:ec2::254"}  # fmt: skip
POLICIES = [
    {"schemes": schemes, "hosts": hosts, **private}
    for schemes, hosts, private in product(
        (["http"], ["https"], ["http", "https", "data"]),
        (None, ["photos.test"], ["nas.test:8080", "photos.test"]),
        ({}, {"allow_private": True}, {"allow_private": True, "ports": [80, 8080]}),
    )
]
TARGETS = [*NAMES, "127.0.0.1", "[::1]", "[::ffff:10.0.0.7]", "2130706433", "0x7f.1", "0177.0.0.1",
           "10.7", "169.254.169.254", "[fe80::1%25lo]", "[64:ff9b::a00:7]", "①②⑦.0.0.1",
           "127.0.0.1.", "0"]  # fmt: skip
SHAPES = [
    "http://{}/a", "https://{}/a", "HTTP://{}/a", "http://{}:80/a", "http://{}:8080/a", "http://{}:443/a",
    "http://{}:22/a", "http://{}:/a", "http://{}:080/a", "http://photos.test@{}/a", "http://{}@photos.test/a",
    "http://photos.test:80@{}/a", "http://photos.test%00@{}/a", "http://photos.test\\@{}/a",
    "http://{}\\@photos.test/a", "http://{}#@photos.test/a", "http://{}?@photos.test/a", "http://{};photos.test/a",
    "http://photos.test.{}/a", "http://{}.photos.test/a", "http://photos.test#{}/a", "http:///{}/a",
    "http:{}/a", "http:\\\\{}/a", "//{}/a", "http://{}%2fphotos.test/a", "http://{} photos.test/a",
    "http://photos.test\t@{}/a", "http://\u200b{}/a", "http://{}\u3002/a", "http://{}/a\r\nHost: photos.test",
    "http://{}%23@photos.test/a", "jar:http://{}!/a", "gopher://{}:80/_GET", "file://{}/etc/passwd",
    "dict://{}:11211/", "ftp://{}/a", "http::80//{}/a", "http://[{}]/a", "data:,http://{}/a",
]  # fmt: skip


def is_allowed(policy: dict[str, Any], address: str, port: int) -> bool:
    """What may be dialled under a policy, by the standard library's registry and the names above."""
    ip, is_private = ipaddress.ip_address(address), policy.get("allow_private", False)
    # Services inside a network stand on any port.
    ports = policy.get("ports", None if is_private else (80, 443))
    if ip.is_global:
        is_named = policy["hosts"] is None or address == PUBLIC
        return is_named and (ports is None or port in ports)
    # Link-local addresses, metadata and disguised ones stay forbidden.
    private = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "127.0.0.0/8", "::1/128")]
    if not is_private or not any(ip in network for network in private):
        return False
    if policy["hosts"] is not None:
        return (address, port) == (NAS, 8080) and "nas.test:8080" in policy["hosts"]
    return ports is None or port in ports


@pytest.fixture
def net(internet: Internet) -> Iterator[tuple[Internet, list[str]]]:
    """The names, and a server that sends each request on to one of the URLs."""
    urls = [shape.format(target) for shape, target in product(SHAPES, TARGETS)]
    onward = urls[:: len(urls) // 97]
    routes = {
        f"/{i}": redirect(quote(url, safe=":/?#[]@!$&'()*+,;=%\\")) for i, url in enumerate(onward)
    }
    for name, address in NAMES.items():
        internet.name(name, [address])
    with Server({**routes, "/a": answer(PNG)}) as server:
        internet.place(server, PUBLIC, 80)
        yield internet, urls


def dialled_beyond(internet: Internet, policy: dict[str, Any]) -> set[tuple[str, int]]:
    return {dial for dial in internet.dials if not is_allowed(policy, *dial)}


@pytest.mark.parametrize("number", range(len(POLICIES)))
def test_nothing_beyond_the_policy_is_dialled(net: tuple[Internet, list[str]], number: int) -> None:
    internet, urls = net
    policy = POLICIES[number]
    # All of them where all schemes are allowed; where one is, a third, which is another with each.
    if len(policy["schemes"]) == 1:
        urls = urls[number % 3 :: 3]
    settings = {**policy, **QUICK, "retries": 0, "max_host_failures": 10**6}
    with ImageReader(SourcePolicy(**settings)) as reader:
        outcomes = [reader.fetch(url) for url in urls]
        assert dialled_beyond(internet, policy) == set()
        # One that may be asked is asked, or nothing would have been tried; none is at https on port 80.
        assert internet.dials or policy["schemes"] == ["https"]
        assert len(outcomes) == len(urls)
        if "http" in policy["schemes"]:
            internet.dials.clear()
            for i in range(98):
                reader.fetch(f"http://photos.test/{i}")
            assert (PUBLIC, 80) in internet.dials
            assert dialled_beyond(internet, policy) == set()


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "fd00:ec2::254", NAS])
def test_a_name_that_is_bound_anew_is_checked_anew(internet: Internet, address: str) -> None:
    for at, policy in enumerate(POLICIES):
        names = [f"rebind{at}.test", "photos.test"]
        for name in names:
            internet.name(name, [PUBLIC], [address])
        settings = {**policy, **QUICK, "retries": 2}
        with ImageReader(SourcePolicy(**settings)) as reader:
            for name in names:
                reader.fetch(f"http://{name}/a")
        private = policy.get("allow_private") and address in (NAS, "127.0.0.1")
        dials = {dialled for dialled, _ in internet.dials}
        assert dials <= ({PUBLIC, address} if private else {PUBLIC})
        internet.dials.clear()
