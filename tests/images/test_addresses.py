"""No address that is not public is ever dialled, however it is spelt and whoever leads there."""

from __future__ import annotations

import ipaddress
import ssl

import pytest
import trustme
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

from monitor.failures import Failure
from monitor.images import ImageReader, RawImage, SourcePolicy
from monitor.images.addresses import is_private, is_public

from .conftest import QUICK
from .pictures import PNG
from .servers import Internet, Server, answer, redirect

PUBLIC = "93.184.216.34"

# One address of each special-purpose block of IANA's registries and of the clouds' own.
BLOCKED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
]

SPELT = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "00",
    "0x7f.1",
    "0x7f000001",
    "0x7F.0.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0300.0250.0.1",
    "0xc0a80001",
    "3232235521",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "0251.254.169.254",
    "10.1",
    "0xa.1",
    "012.0.0.1",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[FE80::1]",
    "[64:ff9b::7f00:1]",
]


@pytest.mark.parametrize("address", BLOCKED)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("block", EXTRA_BLOCKED_NET_RANGES, ids=str)
def test_what_requests_hardened_blocks_is_not_public(
    block: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    assert not is_public(block[0])
    assert not is_public(block[-1])


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", PUBLIC, "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert not is_private(ipaddress.ip_address(address))


def urls_of_blocked_hosts() -> list[str]:
    plain = [f"[{host}]" if ":" in host else host for host in BLOCKED]
    return [f"{scheme}://{host}/a.jpg" for host in plain + SPELT for scheme in ("http", "https")]


def test_no_blocked_spelling_is_dialled(internet: Internet) -> None:
    internet.name("localhost", ["127.0.0.1"])
    internet.name("LOCALHOST", ["127.0.0.1"])
    with ImageReader(SourcePolicy(**QUICK)) as reader:
        outcomes = {url: reader.fetch(url) for url in urls_of_blocked_hosts()}
    assert internet.dials == []
    others = {url: str(o) for url, o in outcomes.items() if getattr(o, "reason", "") != BLOCKED_ONE}
    assert others == {}


BLOCKED_ONE = "blocked_address"


@pytest.mark.parametrize(
    "url",
    [
        "http://127%2e0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://1.1.1.1 &@127.0.0.1/",
        "http://1.1.1.1\\@127.0.0.1/",
        "http://127.0.0.1\t/",
        "http://127.0.0.1\r\nHost: a/",
        "http://127.0.0.1:80\\@1.1.1.1/",
        "http:///127.0.0.1/",
        "http:127.0.0.1/",
        "http://[::1]]/",
        "http://[::1%00]/",
        "http://127.0.0.1.:80/",
        "http://127.0.0.1 /",
        "http://127.0.0.1/My Photo.jpg",
        "http://exa mple.com@127.0.0.1/",
        "http://127.0.0.1%20/",
        "http://127.0.0.1?a b",
        "http://[::ffff:127.0.0.1]/a b",
        "http://\u200b127.0.0.1/",
        "http://１２７.0.0.1/",
    ],
)
def test_odd_urls_dial_nothing(internet: Internet, url: str) -> None:
    with ImageReader(SourcePolicy(**QUICK)) as reader:
        outcome = reader.fetch(url)
    assert isinstance(outcome, Failure)
    assert outcome.reason in ("invalid_url", "blocked_address", "dns")
    assert internet.dials == []


def test_public_address_is_dialled_once_looked_up(internet: Internet) -> None:
    with Server({"/a": answer(PNG)}) as server:
        internet.name("photos.test", [PUBLIC])
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            assert isinstance(reader.fetch("http://photos.test/a"), RawImage)
        # Numbers are looked up too, which asks nobody.
        assert [host for host in internet.lookups if host != PUBLIC] == ["photos.test"]
        assert internet.dials == [(PUBLIC, 80)]
        assert "Host: photos.test\r\n" in server.requests[0]


def test_rebinding_dials_what_was_checked(internet: Internet) -> None:
    internet.name("rebind.test", [PUBLIC], ["127.0.0.1"])
    with ImageReader(SourcePolicy(**QUICK, retries=1)) as reader:
        outcome = reader.fetch("http://rebind.test/a")
    # The first attempt dials the public address that it was given, the second none.
    assert internet.dials == [(PUBLIC, 80)]
    assert isinstance(outcome, Failure)
    assert outcome.reason == "blocked_address"


@pytest.mark.parametrize("answers", [[PUBLIC, "127.0.0.1"], ["10.0.0.1", PUBLIC], ["::1", PUBLIC]])
def test_one_blocked_address_blocks_the_name(internet: Internet, answers: list[str]) -> None:
    internet.name("mixed.test", answers)
    with ImageReader(SourcePolicy(**QUICK)) as reader:
        outcome = reader.fetch("http://mixed.test/a")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "blocked_address"
    assert internet.dials == []


def test_next_attempt_takes_the_next_address(internet: Internet) -> None:
    with Server({"/a": answer(PNG)}) as server:
        internet.name("two.test", ["2606:4700::1111", PUBLIC])
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            assert isinstance(reader.fetch("http://two.test/a"), RawImage)
    assert internet.dials == [("2606:4700::1111", 80), (PUBLIC, 80)]


def test_unknown_host_is_dns(internet: Internet) -> None:
    for host in ("nowhere.test", "a" * 70 + ".test", "a..test"):
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            outcome = reader.fetch(f"http://{host}/a")
        assert isinstance(outcome, Failure)
        assert outcome.reason in ("dns", "invalid_url")
    assert internet.dials == []


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/My Photo.jpg",
        "//127.0.0.1/a",
        "http://127.0.0.1\xe9/",
        "http://in.test/caf\xe9",
        "\thttp://in.test/a",
        "http://in.test?a b",
    ],
)
@pytest.mark.parametrize("announced", [b"", b"HTTP/1.1 103 Early Hints\r\nLocation: /b\r\n\r\n"])
def test_odd_redirects_dial_nothing_else(
    internet: Internet, location: str, announced: bytes
) -> None:
    internet.name("in.test", ["10.0.0.7", "127.0.0.1"])
    internet.name("photos.test", ["2606:4700::1", PUBLIC])
    with Server({"/a": announced + redirect(location)}) as server:
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            outcome = reader.fetch("http://photos.test/a")
    assert isinstance(outcome, Failure)
    assert outcome.reason in ("invalid_url", "blocked_address", "dns")
    assert set(internet.dials) == {("2606:4700::1", 80), (PUBLIC, 80)}


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "2130706433", "in.test"])
def test_redirect_to_a_blocked_address_dials_nothing(internet: Internet, host: str) -> None:
    internet.name("in.test", ["10.0.0.7"])
    internet.name("photos.test", [PUBLIC])
    with Server({"/a": redirect(f"http://{host}/latest/meta-data")}) as server:
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            outcome = reader.fetch("http://photos.test/a")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "blocked_address"
    assert internet.dials == [(PUBLIC, 80)]


def test_private_addresses_of_named_hosts_only(internet: Internet) -> None:
    internet.name("nas.test", ["192.168.0.9"])
    with Server({"/a": answer(PNG)}) as server:
        internet.place(server, "192.168.0.9", 8080)
        policy = SourcePolicy(hosts=["nas.test:8080"], allow_private=True, **QUICK)
        with ImageReader(policy) as reader:
            assert isinstance(reader.fetch("http://nas.test:8080/a"), RawImage)
            others = [
                "http://nas.test/a",
                "http://nas.test:81/a",
                "http://192.168.0.9:8080/a",
                "http://127.0.0.1:8080/",
                "http://1.1.1.1:8080/",
            ]
            reasons = [reader.fetch(url) for url in others]
    assert [getattr(r, "reason", r) for r in reasons] == ["port", "port", "host", "host", "host"]
    assert internet.dials == [("192.168.0.9", 8080)]


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "0.0.0.0",
     "::", "224.0.0.1", "::127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
)  # fmt: skip
def test_metadata_and_disguises_stay_blocked(internet: Internet, address: str) -> None:
    internet.name("any.test", [address])
    for hosts in (None, ["any.test"]):
        policy = SourcePolicy(hosts=hosts, allow_private=True, **QUICK)
        with ImageReader(policy) as reader:
            outcome = reader.fetch("http://any.test/a")
        assert isinstance(outcome, Failure)
        assert outcome.reason == "blocked_address"
    assert internet.dials == []


def tls_server(ca: trustme.CA, name: str) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return Server({"/a": answer(PNG)}, tls=context)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize(
    ("name", "is_trusted", "expected"),
    [
        ("photos.test", True, None),
        ("*.test", True, None),
        ("other.test", True, "tls"),
        (PUBLIC, True, "tls"),
        ("photos.test", False, "tls"),
    ],
)
def test_certificate_is_checked_against_the_name(
    internet: Internet, ca: trustme.CA, name: str, is_trusted: bool, expected: str | None
) -> None:
    internet.name("photos.test", [PUBLIC])
    authority = ca if is_trusted else trustme.CA()
    with authority.cert_pem.tempfile() as bundle, tls_server(ca, name) as server:
        internet.place(server, PUBLIC, 443)
        with ImageReader(SourcePolicy(ca_bundle=bundle, **QUICK)) as reader:
            outcomes = [reader.fetch("https://photos.test/a") for _ in range(3)]
        assert [getattr(o, "reason", None) for o in outcomes] == [expected] * 3
        # A certificate may be renewed at any moment, so each read tries three times; a good connection
        # is used again.
        assert server.n_connections == (1 if expected is None else 9)
    assert set(internet.dials) == {(PUBLIC, 443)}


def test_certificates_of_the_environment_are_used(
    internet: Internet, ca: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.name("photos.test", [PUBLIC])
    with ca.cert_pem.tempfile() as bundle, tls_server(ca, "photos.test") as server:
        internet.place(server, PUBLIC, 443)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            assert isinstance(reader.fetch("https://photos.test/a"), RawImage)


def test_plain_http_on_a_tls_port_is_tls(internet: Internet) -> None:
    internet.name("photos.test", [PUBLIC])
    with Server(greeting=lambda c, stop: c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        internet.place(server, PUBLIC, 443)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            outcome = reader.fetch("https://photos.test/a")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "tls"
