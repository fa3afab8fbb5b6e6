"""HTTP from the outside: what each kind of server gets, kind and hostile."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import Any

import pytest

from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, RawImage, SourcePolicy
from monitor.images.cancellation import Cancellation

from .conftest import QUICK, local_reader
from .pictures import JPEG, PNG
from .servers import (
    BlackHole,
    Handler,
    Internet,
    Server,
    answer,
    drip,
    flood,
    redirect,
    reset,
    say,
    silence,
)


def fetch(server: Server, path: str = "/a", **options: Any) -> RawImage | Failure:
    with local_reader(server, **options) as reader:
        return reader.fetch(server.url + path)


def reason(outcome: object) -> str:
    assert isinstance(outcome, Failure), outcome
    return outcome.reason


def test_brings_bytes_digest_and_version(server: Server) -> None:
    server.routes["/a"] = answer(PNG, headers={"ETag": '"7"', "Last-Modified": "Mon, 1 Jan 2024"})
    raw = fetch(server)
    assert isinstance(raw, RawImage)
    assert raw.data == PNG
    assert raw.version is not None
    assert (raw.version.etag, raw.version.last_modified) == ('"7"', "Mon, 1 Jan 2024")
    assert raw.sha256 == RawImage.of(PNG).sha256


def test_asks_politely_and_sends_nothing_else(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server.routes["/a"] = answer(
        b"moved", "301 Moved", {"Location": "/b#part", "Set-Cookie": "id=1; Path=/"}
    )
    server.routes["/b"] = answer(PNG)
    with local_reader(server, user_agent="drift-tests") as reader:
        assert isinstance(reader.fetch(server.url + "/a#frag"), RawImage)
        assert isinstance(reader.fetch(server.url + "/b"), RawImage)
    assert server.paths() == ["/a", "/b", "/b"]
    for head in server.requests:
        names = {line.split(":")[0] for line in head.split("\r\n")[1:] if line}
        assert names == {"User-Agent", "Accept", "Accept-Encoding", "Host"}
        assert "Accept-Encoding: identity\r\n" in head
        assert "User-Agent: drift-tests\r\n" in head
        assert f"Host: {server.host}\r\n" in head


def test_keeps_connections_alive(server: Server) -> None:
    server.routes["*"] = answer(PNG)
    with local_reader(server) as reader:
        for i in range(5):
            assert isinstance(reader.fetch(f"{server.url}/{i}"), RawImage)
    assert server.n_connections == 1


def test_at_most_so_many_at_one_host(server: Server) -> None:
    started = threading.Barrier(3, timeout=300)

    def slow(connection: socket.socket, stop: threading.Event) -> None:
        # Only goes on when two are here at the same time, so the limit is also reached.
        try:
            started.wait()
        except threading.BrokenBarrierError:
            return
        connection.sendall(answer(PNG))

    server.routes["*"] = slow
    outcomes: list[object] = []
    with local_reader(server, max_connections_per_host=3) as reader:
        threads = [
            threading.Thread(target=lambda: outcomes.append(reader.fetch(server.url + "/a")))
            for _ in range(9)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(isinstance(outcome, RawImage) for outcome in outcomes)
    assert server.most_at_once == 3


def test_hosts_that_redirect_to_each_other_do_not_wait_for_each_other(internet: Internet) -> None:
    with Server() as first, Server() as second:
        first.routes = {"/a": redirect("http://two.test/b"), "/b": answer(PNG)}
        second.routes = {"/a": redirect("http://one.test/b"), "/b": answer(PNG)}
        internet.name("one.test", ["93.184.216.1"])
        internet.name("two.test", ["93.184.216.2"])
        internet.place(first, "93.184.216.1", 80)
        internet.place(second, "93.184.216.2", 80)
        outcomes: list[object] = []
        with ImageReader(SourcePolicy(**QUICK, max_connections_per_host=1)) as reader:
            threads = [
                threading.Thread(target=lambda u=url: outcomes.append(reader.fetch(u)))
                for url in ["http://one.test/a", "http://two.test/a"] * 6
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert [type(outcome) for outcome in outcomes] == [RawImage] * 12


BIG = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (answer(status="404 Not Found"), "http_404"),
        (answer(status="403 Forbidden"), "http_403"),
        (answer(status="204 No Content"), "http_204"),
        (answer(status="206 Partial Content", body=PNG), "http_206"),
        (answer(status="304 Not Modified"), "http_304"),
        (answer(status="302 Found"), "http_302"),
        (answer(status="999 Odd"), "http_999"),
        (answer(), "empty_body"),
        (say(OK + b"\r\n"), "empty_body"),
        (say(b"SSH-2.0-OpenSSH_9.6\r\n"), "protocol"),
        (say(b"\x00\x01\x02\r\n\r\n"), "protocol"),
        (say(b"HTTP/1.1 abc OK\r\n\r\n"), "protocol"),
        (say(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "protocol"),
        (say(b"HTTP/1.1 200 " + b"a" * 70_000), "protocol"),
        (say(OK + b"".join(b"X-%d: a\r\n" % i for i in range(5_000)) + b"\r\n"), "protocol"),
        (say(OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n"), "protocol"),
        (say(OK + b"Content-Length: 50\r\n\r\nshort"), "short_body"),
        (say(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), "short_body"),
        (say(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "short_body"),
        (say(BIG.encode()), "too_large"),
        (flood(b"a" * 65_536, OK + b"\r\n"), "too_large"),
        (flood(b"10000\r\n" + b"a" * 65_536 + b"\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
         "too_large"),
        (answer(gzip.compress(bytes(10**6)), headers={"Content-Encoding": "gzip"}),
         "content_encoding"),
        (answer(PNG, headers={"Content-Encoding": "br, gzip"}), "content_encoding"),
        (answer(PNG, headers={"Content-Encoding": "utf-8, X-GZIP"}), "content_encoding"),
        (redirect("http://[::1"), "invalid_url"),
        (redirect("file:///etc/passwd"), "scheme"),
        (redirect("data:image/png;base64,AAAA"), "scheme"),
        (redirect("gopher://127.0.0.1/"), "scheme"),
        (redirect("http://me:secret@127.0.0.1/"), "userinfo"),
        (redirect("/" + "a" * 9_000), "url_too_long"),
        (redirect("/a"), "too_many_redirects"),
        (redirect("http://example.com/"), "host"),
        (redirect("http://127.0.0.1:22/"), "port"),
        (reset, "network"),
        (say(b""), "network"),
    ],
)  # fmt: skip
def test_each_answer_gets_its_reason(server: Server, route: bytes | Handler, expected: str) -> None:
    server.routes["/a"] = route
    outcome = fetch(server, max_bytes=1_000_000, retries=0)
    assert reason(outcome) == expected


@pytest.mark.parametrize(
    "coding",
    [
        "Identity",
        "identity, identity",
        "",
        "aws-chunked",
        "aws-chunked,",
        "utf-8",
        "none",
        "image/png",
    ],
)
def test_words_that_are_no_compression_are_passed_over(server: Server, coding: str) -> None:
    server.routes["/a"] = answer(PNG, headers={"Content-Encoding": coding})
    assert isinstance(fetch(server), RawImage)


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_announcements_before_the_answer_are_passed_over(server: Server, status: str) -> None:
    announced = f"HTTP/1.1 {status}\r\nLink: </a.css>; rel=preload\r\n\r\n".encode()
    server.routes["/a"] = announced * 3 + answer(PNG)
    with local_reader(server) as reader:
        # The connection is used again.
        assert [type(reader.fetch(server.url + "/a")) for _ in range(2)] == [RawImage] * 2
    assert server.n_connections == 1


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/My Photo.jpg", "/My%20Photo.jpg"),
        ("/a.jpg?name=My Photo&x=1", "/a.jpg?name=My%20Photo&x=1"),
        ("/a%2fb%2Fc%7e%41?sig=a%2bb%3d+~", "/a%2fb%2Fc%7e%41?sig=a%2bb%3d+~"),
        ("/grün/猫.jpg?ü#ö", "/gr%C3%BCn/%E7%8C%AB.jpg?%C3%BC"),
        ("/100%.jpg", "/100%25.jpg"),
        ('/a|b<c>{d}^`"', "/a%7Cb%3Cc%3E%7Bd%7D%5E%60%22"),
        ("/a[1].jpg;v=1,2!$&'()*+=:@", "/a[1].jpg;v=1,2!$&'()*+=:@"),
        ("/a/../b/./c//d/..", "/b/c//"),
        ("?only=query", "/?only=query"),
        ("", "/"),
    ],
)
def test_paths_are_sent_as_the_cell_has_them(server: Server, path: str, sent: str) -> None:
    server.routes["*"] = answer(PNG)
    assert isinstance(fetch(server, path), RawImage)
    assert server.paths() == [sent]


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/My Photo.jpg", "/My%20Photo.jpg"),
        ("/caf\xe9.jpg", "/caf%E9.jpg"),
        ("/caf\xc3\xa9.jpg", "/caf%C3%A9.jpg"),
        ("b?x=%2f", "/b?x=%2f"),
    ],
)
def test_redirects_are_followed_as_the_server_has_them(
    server: Server, location: str, sent: str
) -> None:
    server.routes = {"/a": redirect(location), "*": answer(PNG)}
    assert isinstance(fetch(server), RawImage)
    assert server.paths() == ["/a", sent]


def test_refused_connection_is_network() -> None:
    with Server() as gone:
        pass
    assert reason(fetch(gone, retries=0)) == "network"


def test_body_of_a_redirect_is_not_read(server: Server) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 300000000\r\n\r\n"
    n_sent = 0

    def endless(connection: socket.socket, stop: threading.Event) -> None:
        nonlocal n_sent
        connection.sendall(head)
        while not stop.is_set():
            n_sent += connection.send(b"a" * 65_536)

    server.routes = {"/a": endless, "/b": answer(PNG)}
    assert isinstance(fetch(server, max_bytes=10_000), RawImage)
    # What the kernel's own buffers took, and no more.
    assert n_sent < 30_000_000


def test_redirects_up_to_the_limit_are_followed(server: Server) -> None:
    server.routes = {f"/{i}": redirect(f"/{i + 1}") for i in range(5)}
    server.routes["/5"] = answer(PNG)
    assert isinstance(fetch(server, "/0", max_redirects=5), RawImage)
    assert reason(fetch(server, "/0", max_redirects=4)) == "too_many_redirects"


@pytest.mark.parametrize("bad", ["429 Slow Down", "500 Oops", "502 Bad", "503 Busy", "504 Late"])
def test_passing_failures_are_tried_again(server: Server, bad: str) -> None:
    server.routes["/a"] = [answer(status=bad), answer(status=bad), answer(PNG)]
    assert isinstance(fetch(server, retries=2), RawImage)
    assert len(server.requests) == 3


def test_retries_end(server: Server) -> None:
    server.routes["/a"] = answer(status="503 Busy")
    assert reason(fetch(server, retries=2)) == "http_503"
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", ["404 No", "403 No", "410 Gone"])
def test_final_failures_are_asked_once(server: Server, status: str) -> None:
    server.routes["/a"] = answer(status=status)
    assert reason(fetch(server, retries=2)) == f"http_{status[:3]}"
    assert len(server.requests) == 1


def test_short_body_and_reset_are_tried_again(server: Server) -> None:
    calls: list[int] = []

    def failing_twice(connection: socket.socket, stop: threading.Event) -> None:
        calls.append(1)
        if len(calls) == 1:
            return reset(connection, stop)
        if len(calls) == 2:
            return connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc")
        return connection.sendall(answer(PNG))

    server.routes["/a"] = failing_twice
    assert isinstance(fetch(server, retries=2), RawImage)


@pytest.mark.parametrize("asked", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_retry_after_is_honoured_up_to_its_cap(
    server: Server, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = []
    monkeypatch.setattr(Cancellation, "wait", lambda self, seconds: pauses.append(seconds))
    server.routes["/a"] = [answer(status="429 Slow", headers={"Retry-After": asked}), answer(PNG)]
    assert isinstance(fetch(server, max_retry_after_seconds=3.5), RawImage)
    assert pauses == [3.5]


def test_retry_beyond_the_deadline_is_not_waited_for(server: Server) -> None:
    server.routes["/a"] = answer(status="429 Slow", headers={"Retry-After": "9"})
    # Had it waited, the deadline would be the reason.
    assert reason(fetch(server, deadline_seconds=3.0)) == "http_429"
    assert len(server.requests) == 1


@pytest.mark.parametrize("asked", ["soon", "-1", "nan", "1e400", "Mon, 99 Foo", "²", ""])
def test_nonsense_in_retry_after_is_ignored(server: Server, asked: str) -> None:
    head = {"Retry-After": asked.encode().decode("latin-1")}
    server.routes["/a"] = [answer(status="503 Busy", headers=head), answer(PNG)]
    assert isinstance(fetch(server), RawImage)


DEADLINE = 0.4
"""Seconds. What follows never ends by itself, so that a fetch that comes back has held to it."""


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(silence, id="silence"),
        pytest.param(drip(b"HTTP/1.1 200 OK"), id="status line"),
        pytest.param(drip(b"a: b\r\n", begin=OK), id="headers"),
        pytest.param(drip(b"a" * 1000, begin=OK + b"X: "), id="one header"),
        pytest.param(flood(b"HTTP/1.1 100 Continue\r\n\r\n"), id="flood of 1xx"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), id="drip of 1xx"),
        pytest.param(flood(b"HTTP/1.1 103 Early Hints\r\n\r\n"), id="flood of 103"),
        pytest.param(drip(b"a", begin=OK + b"Content-Length: 999\r\n\r\n"), id="body"),
        pytest.param(drip(b"a", begin=OK + b"\r\n"), id="body without length"),
        pytest.param(
            drip(b"1\r\na\r\n", begin=OK + b"Transfer-Encoding: chunked\r\n\r\n"), id="chunks"
        ),
        pytest.param(
            drip(b"a: b\r\n", 0.01, begin=OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
            id="trailers",
        ),
    ],
)
def test_deadline_ends_every_way_to_hang(server: Server, handler: Handler) -> None:
    server.routes["/a"] = handler
    outcome = fetch(server, deadline_seconds=DEADLINE)
    assert reason(outcome) == "deadline"


def test_deadline_ends_a_connection_that_is_used_again(server: Server) -> None:
    server.routes = {"/a": answer(PNG), "/b": silence}
    with local_reader(server, deadline_seconds=DEADLINE) as reader:
        assert isinstance(reader.fetch(server.url + "/a"), RawImage)
        assert reason(reader.fetch(server.url + "/b")) == "deadline"
    assert server.n_connections == 1


@pytest.mark.parametrize("greeting", [silence, drip(b"\x16\x03\x03\x40\x00", 0.02)])
def test_deadline_ends_a_tls_handshake(greeting: Handler) -> None:
    with Server(greeting=greeting) as server:
        with local_reader(server, deadline_seconds=DEADLINE) as reader:
            outcome = reader.fetch(f"https://{server.host}/a")
        assert reason(outcome) == "deadline"


def test_deadline_ends_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()

    def look_up(*args: Any, **options: Any) -> list[Any]:
        hang.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with ImageReader(SourcePolicy(deadline_seconds=DEADLINE)) as reader:
        outcome = reader.fetch("http://example.com/a.jpg")
    hang.set()
    assert reason(outcome) == "deadline"


def test_deadline_ends_a_connection_that_nobody_answers() -> None:
    with BlackHole() as hole:
        policy = SourcePolicy(hosts=[hole.host], allow_private=True, deadline_seconds=DEADLINE)
        with ImageReader(policy) as reader:
            outcome = reader.fetch(f"http://{hole.host}/a")
    assert reason(outcome) == "deadline"


def test_deadline_covers_redirects_and_retries(server: Server) -> None:
    def late(connection: socket.socket, stop: threading.Event) -> None:
        stop.wait(0.15)
        connection.sendall(redirect("/a"))

    server.routes["/a"] = late
    assert reason(fetch(server, deadline_seconds=DEADLINE, max_redirects=90)) == "deadline"
    assert len(server.requests) < 90


def test_no_thread_or_timer_stays_behind(server: Server) -> None:
    server.routes["/a"] = answer(PNG)
    with local_reader(server) as reader:
        for _ in range(20):
            reader.fetch(server.url + "/a")
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("monitor-")]
    for thread in ours:
        thread.join()


def test_details_hold_no_secrets(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    malformed = b"HTTP/1.1 404 No\r\nA: b\r\nno colon here\r\nContent-Length: 0\r\n\r\n"
    server.routes = {
        "/gone": answer(status="404 No"),
        "/odd": malformed,
        "/reset": reset,
        "/moved": redirect("ftp://me:hunter2@h/x?token=hunter2"),
        "/inside": redirect("http://me:hunter2@127.0.0.1/?token=hunter2"),
        "/garbage": say(b"hunter2\r\n\r\n"),
    }
    urls = [f"{server.url}{path}?token=hunter2#hunter2" for path in server.routes]
    urls += [
        "http://me:hunter2@example.com/",
        "http://me:hunter2@exa mple.com/",
        "http://me:hunt/er2@[::1/?hunter2",
        "ftp://me:hunter2@h/",
        "http:/me:hunter2@h/a",
        "https://h:hunter2/?hunter2",
    ]
    with local_reader(server, retries=0) as reader:
        for url in urls:
            outcome = reader.fetch(url)
            assert isinstance(outcome, Failure)
            assert "hunter2" not in str(outcome), outcome
            assert "er2@" not in str(outcome), outcome
    assert "hunter2" not in caplog.text


def test_reading_is_fetching_and_decoding(server: Server) -> None:
    # The Content-Type says nothing.
    server.routes = {
        "/a": answer(JPEG, headers={"Content-Type": "text/html"}),
        "/b": answer(b"<!DOCTYPE html><p>Not found", headers={"Content-Type": "image/png"}),
        "/c": answer(b'{"error": 1}', headers={"Content-Type": "image/jpeg"}),
    }
    with local_reader(server) as reader:
        assert isinstance(reader.read(server.url + "/a"), DecodedImage)
        assert str(reader.read(server.url + "/b")) == "not_an_image: HTML"
        assert str(reader.read(server.url + "/c")) == "not_an_image: JSON"
