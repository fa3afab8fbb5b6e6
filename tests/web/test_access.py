"""Who may look: hosts, tokens, forged requests, sizes, rates; and what nobody gets to see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from monitor.cli.project import Project
from monitor.errors import ConfigError
from monitor.store import Store, tokens
from monitor.web import Access, create_app
from monitor.web.access import RateLimit, Sessions
from monitor.web.listen import access_of

from .conftest import FIRST, NOW, Served, site_of


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhost@evil.example", "127.0.0.1.nip.io", "", "a b",
     "localhost:80:80", "[::1", "xn--localhost", "localhost/"],
)  # fmt: skip
def test_another_name_is_refused(served: Served, host: str) -> None:
    answer = served.client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "serve.hosts" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host", ["localhost:8470", "127.0.0.1", "[::1]:8470", "10.0.0.7", "LOCALHOST."]
)
def test_this_machine_and_plain_addresses_are_fine(served: Served, host: str) -> None:
    assert served.client.get("/healthz", headers={"host": host}).status_code == 200


MARK = {
    "feature": 1, "window_start": FIRST.isoformat(), "window_end": (FIRST + dt.timedelta(1)).isoformat(),
    "mark": "harmless",
}  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-csrf": "no"},
        {"x-csrf": "\u00e9".encode("latin-1")},
        {"origin": "http://evil.example", "x-csrf": "RIGHT"},
        {"origin": "null", "x-csrf": "RIGHT"},
        {"sec-fetch-site": "cross-site", "x-csrf": "RIGHT"},
        {"cookie": "monitor_session=forged.9999999999.00.00", "x-csrf": "RIGHT"},
    ],
)
def test_a_forged_act_is_refused(served: Served, headers: dict[str, str]) -> None:
    before = served.json("/api/acts")
    sent = {name: served.csrf if value == "RIGHT" else value for name, value in headers.items()}
    answer = served.client.post("/api/acts/mark", json=MARK, headers=sent)
    assert answer.status_code == 403
    assert served.json("/api/acts") == before


def test_a_browser_loads_nothing_from_elsewhere_and_shows_nothing_to_others(served: Served) -> None:
    answer = served.client.get("/")
    csp = answer.headers["content-security-policy"]
    assert csp.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in csp
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    # The map's drawing library compiles its commands; no other page may.
    page = served.client.get("/features/1/map").headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-eval';" in page
    cookie = (
        TestClient(served.client.app, base_url="http://localhost").get("/").headers["set-cookie"]
    )
    assert "HttpOnly; SameSite=Strict" in cookie


def test_large_requests_are_refused(served: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 1_000

    headers = {"x-csrf": served.csrf, "content-type": "application/json"}
    told = served.client.post("/api/acts/mark", content=b"x" * 70_000, headers=headers)
    untold = served.client.post("/api/acts/mark", content=endless(), headers=headers)
    assert (told.status_code, untold.status_code) == (413, 413)


@pytest.fixture
def guarded(project: Project, tmp_path) -> Callable[[Access], TestClient]:
    """Makes an app with other rules on the same project, without its rows."""
    store = Store(project.config.store_url)
    site = site_of(project, store, tmp_path)

    def made(access: Access) -> TestClient:
        return TestClient(
            create_app(site, access), base_url="http://localhost", follow_redirects=False
        )  # type: ignore[arg-type]

    return made


def test_others_need_a_token(project: Project, guarded, tmp_path) -> None:
    with Store(project.config.store_url) as store:
        with pytest.raises(ConfigError, match="token create"):
            access_of(store, "0.0.0.0", "ann")
        assert access_of(store, "127.0.0.1", "ann").local_user == "ann"
        with store.writing() as connection:
            token = tokens.create(connection, "bob", NOW)
            reader = tokens.create(connection, "reader", NOW, may_act=False)
        # Once there is a token, it is asked for on this machine, too.
        access = access_of(store, "127.0.0.1", "ann")
        assert access.local_user is None
    client = guarded(access)
    assert client.get("/api/features").status_code == 401
    page = client.get("/features/1?since=2026-03-01")
    assert page.headers["location"] == "/login?next=/features/1%3Fsince%3D2026-03-01"
    assert client.get("/login").status_code == 200
    wrong = client.post("/login", data={"token": "mon_no"})
    assert wrong.status_code == 401
    right = client.post("/login", data={"token": token, "next": "//evil.example"})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert "bob" in client.get("/").text

    program = guarded(access)
    as_reader = {"authorization": f"Bearer {reader}"}
    assert program.get("/api/features", headers=as_reader).status_code == 200
    refused = program.post("/api/acts/mark", json=MARK, headers=as_reader)
    assert (refused.status_code, refused.json()["detail"]) == (403, "this token may only read")
    for nonsense in (
        "Bearer",
        "Bearer ",
        "Bearer \ud83d".encode("utf-8", "replace"),
        "Basic YTpi",
        f"Bearer {token}x",
    ):
        assert program.get("/api/features", headers={"authorization": nonsense}).status_code == 401

    with Store(project.config.store_url) as store, store.writing() as connection:
        tokens.revoke(connection, "bob", NOW)
        tokens.revoke(connection, "reader", NOW)
    assert client.get("/api/features").status_code == 401
    tries = [client.post("/login", data={"token": "mon_no"}).status_code for _ in range(10)]
    assert tries[-1] == 429


def test_a_proxy_is_believed_only_where_it_is_named(guarded) -> None:
    sent = {"x-forwarded-user": "carol"}
    believed = Access(None, user_header="X-Forwarded-User", proxies=("testclient",))
    assert "carol" in guarded(believed).get("/", headers=sent).text
    assert guarded(believed).get("/api/features").status_code == 401
    assert (
        guarded(believed).get("/api/features", headers={"x-forwarded-user": "a\tb"}).status_code
        == 401
    )
    stranger = Access(None, user_header="X-Forwarded-User", proxies=("10.0.0.1",))
    assert guarded(stranger).get("/api/features", headers=sent).status_code == 401


def test_sessions_end_and_are_not_forged() -> None:
    now = [1_000.0]
    sessions = Sessions(clock=lambda: now[0])
    cookie = sessions.begin("ann")
    assert sessions.read(cookie) == (cookie.split(".")[0], "ann")
    assert sessions.read(cookie[:-1] + ("0" if cookie[-1] != "0" else "1")) is None
    assert Sessions().read(cookie) is None
    for nonsense in ("", ".", "a.b.c.d", "é"):
        assert sessions.read(nonsense) is None
    now[0] += 8 * 86_400
    assert sessions.read(cookie) is None


def test_a_rate_comes_back_with_time() -> None:
    now = [0.0]
    limit = RateLimit(2, clock=lambda: now[0])
    assert [limit.allows("a") for _ in range(3)] == [True, True, False]
    now[0] = 30.0
    assert [limit.allows("a") for _ in range(2)] == [True, False]
