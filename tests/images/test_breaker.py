"""A host that does not answer is left alone for a while; every other host is asked as before."""

from __future__ import annotations

import pytest

from monitor.failures import Failure, may_pass
from monitor.images import ImageReader, RawImage, SourcePolicy
from monitor.images.breaker import HostBreaker

from .conftest import local_reader
from .pictures import PNG
from .servers import Internet, Server, answer, redirect, reset, silence

DOWN = Failure("network", "refused")


class Clock:
    """Seconds that pass when we say so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reasons(reader: ImageReader, url: str, n: int) -> list[str]:
    outcomes = [reader.fetch(url) for _ in range(n)]
    return [outcome.reason if isinstance(outcome, Failure) else "" for outcome in outcomes]


def test_opens_probes_and_closes() -> None:
    clock = Clock()
    breaker = HostBreaker(3, 30.0, clock)
    for _ in range(3):
        assert breaker.check("a") is None
        breaker.record("a", DOWN)
    shown = breaker.check("a")
    assert shown is not None
    assert shown.reason == "host_down"
    assert (
        "a failed 3 times in a row, last with network; it is asked again after 30 s" in shown.detail
    )
    assert breaker.check("b") is None
    clock.now = 30.0
    # One asks, the others wait for what comes of it.
    assert breaker.check("a") is None
    assert breaker.check("a") is not None
    breaker.record("a", DOWN)
    clock.now = 59.0
    assert breaker.check("a") is not None
    clock.now = 60.0
    assert breaker.check("a") is None
    breaker.record("a", RawImage.of(b"x"))
    assert [breaker.check("a") for _ in range(5)] == [None] * 5


def test_a_probe_that_never_ends_is_not_the_last() -> None:
    clock = Clock()
    breaker = HostBreaker(1, 30.0, clock)
    breaker.record("a", DOWN)
    clock.now = 30.0
    assert breaker.check("a") is None
    clock.now = 60.0
    assert breaker.check("a") is None


@pytest.mark.parametrize("reason", ["http_404", "http_500", "too_large", "protocol", "short_body"])
def test_an_answer_of_any_kind_is_no_failure_of_the_host(reason: str) -> None:
    breaker = HostBreaker(2, 30.0)
    breaker.record("a", DOWN)
    breaker.record("a", Failure(reason))
    breaker.record("a", DOWN)
    assert breaker.check("a") is None


def test_it_can_be_switched_off() -> None:
    breaker = HostBreaker(0, 30.0)
    for _ in range(100):
        breaker.record("a", DOWN)
    assert breaker.check("a") is None


def test_hosts_without_number_take_no_memory_without_bound() -> None:
    breaker = HostBreaker(1, 30.0)
    for i in range(10_050):
        breaker.record(f"host{i}", DOWN)
    assert len(breaker._troubles) == 10_000
    assert breaker.check("host10049") is not None


def test_a_silent_host_costs_a_few_deadlines_and_not_one_for_each_row(server: Server) -> None:
    server.routes["*"] = silence
    with local_reader(server, deadline_seconds=0.1, retries=0) as reader:
        outcomes = reasons(reader, server.url + "/a", 64)
    assert outcomes == ["deadline"] * 5 + ["host_down"] * 59
    # One may have run out of time before it was sent.
    assert len(server.requests) <= 5
    assert may_pass("host_down")


def test_a_host_is_asked_again_after_the_pause(server: Server) -> None:
    server.routes["*"] = reset
    options = {"retries": 0, "max_host_failures": 2, "host_pause_seconds": 0}
    with local_reader(server, **options) as reader:
        assert reasons(reader, server.url + "/a", 3) == ["network"] * 3
        server.routes["*"] = answer(PNG)
        assert reasons(reader, server.url + "/a", 3) == [""] * 3


def test_a_dead_host_behind_redirects_does_not_stop_the_one_that_redirects(
    internet: Internet,
) -> None:
    internet.name("short.test", ["93.184.216.1"])
    internet.name("dead.test", ["93.184.216.2"])
    with Server({"/dead": redirect("http://dead.test/a"), "/a": answer(PNG)}) as server:
        internet.place(server, "93.184.216.1", 80)
        policy = SourcePolicy(retries=0, max_host_failures=3)
        with ImageReader(policy) as reader:
            dead = reasons(reader, "http://short.test/dead", 5)
            assert reasons(reader, "http://short.test/a", 2) == ["", ""]
            assert reasons(reader, "http://dead.test/b", 1) == ["host_down"]
    assert dead == ["network"] * 3 + ["host_down"] * 2


def test_a_host_that_redirects_to_itself_is_asked_to_the_end(server: Server) -> None:
    server.routes = {"/a": redirect("/b"), "/b": redirect("/c"), "/c": answer(PNG)}
    with local_reader(server) as reader:
        assert reasons(reader, server.url + "/a", 2) == ["", ""]


def test_to_cancel_says_nothing_of_a_host(server: Server) -> None:
    server.routes["*"] = silence
    with local_reader(server) as reader:
        reader.cancel()
        reader.fetch(server.url + "/a")
        assert reader._web.fetcher()._breaker._troubles == {}


def test_a_store_that_does_not_answer_is_left_alone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    n_calls = 0

    def filesystem(scheme: str) -> object:
        nonlocal n_calls
        n_calls += 1
        raise ConnectionError("no route")

    monkeypatch.setattr(fsspec, "filesystem", filesystem)
    policy = SourcePolicy(schemes=["s3"], buckets=["ours", "other"], max_host_failures=2)
    with ImageReader(policy) as reader:
        assert reasons(reader, "s3://ours/a.png", 4) == ["network"] * 2 + ["host_down"] * 2
        assert reasons(reader, "s3://other/a.png", 1) == ["network"]
    assert n_calls == 3
