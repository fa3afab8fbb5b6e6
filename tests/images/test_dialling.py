"""A host with several addresses answers as long as one of them does."""

from __future__ import annotations

import socket

import pytest

from monitor.failures import Failure
from monitor.images import ImageReader, RawImage, SourcePolicy
from monitor.images.dialling import dial, interleaved

from .conftest import QUICK
from .pictures import PNG
from .servers import BlackHole, Internet, Server, answer, reset

PUBLIC = "93.184.216.34"
DEAD = ["2606:4700::1", "2606:4700::2", "2606:4700::3", "2606:4700::4"]
SILENT = ["93.184.216.1", "93.184.216.2", "93.184.216.3"]
CLOSED = answer(PNG, headers={"Connection": "close"})


def test_refusing_first_addresses_cost_nothing(internet: Internet) -> None:
    internet.name("cdn.test", [*DEAD, PUBLIC])
    with Server({"*": CLOSED}) as server:
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(retries=0)) as reader:
            outcomes = [reader.fetch(f"http://cdn.test/{i}.png") for i in range(3)]
    assert [type(outcome) for outcome in outcomes] == [RawImage] * 3
    # The families take turns, and which address answered is remembered.
    assert internet.dials == [(DEAD[0], 80), *[(PUBLIC, 80)] * 3]


def test_silent_first_addresses_cost_a_moment(internet: Internet) -> None:
    internet.name("cdn.test", [*SILENT, PUBLIC])
    with Server({"*": CLOSED}) as server, BlackHole() as hole:
        internet.place(server, PUBLIC, 80)
        for address in SILENT:
            internet.place(hole, address, 80)
        policy = SourcePolicy(retries=0, connect_timeout_seconds=25, deadline_seconds=25)
        with ImageReader(policy) as reader:
            outcomes = [reader.fetch(f"http://cdn.test/{i}.png") for i in range(3)]
    assert [type(outcome) for outcome in outcomes] == [RawImage] * 3
    assert internet.dials == [(address, 80) for address in [*SILENT, PUBLIC, PUBLIC, PUBLIC]]


def test_a_connection_is_used_again_whichever_address_answered(internet: Internet) -> None:
    internet.name("cdn.test", [DEAD[0], PUBLIC])
    with Server({"*": answer(PNG)}) as server:
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(**QUICK)) as reader:
            for _ in range(3):
                assert isinstance(reader.fetch("http://cdn.test/a"), RawImage)
        assert server.n_connections == 1


def test_an_address_that_breaks_off_is_not_the_last_one(internet: Internet) -> None:
    internet.name("cdn.test", ["93.184.216.1", PUBLIC])
    with Server({"*": reset}) as broken, Server({"*": answer(PNG)}) as server:
        internet.place(broken, "93.184.216.1", 80)
        internet.place(server, PUBLIC, 80)
        with ImageReader(SourcePolicy(**QUICK, retries=1)) as reader:
            assert isinstance(reader.fetch("http://cdn.test/a"), RawImage)


def test_all_addresses_dead_is_one_failure_within_the_deadline(internet: Internet) -> None:
    internet.name("cdn.test", SILENT)
    with BlackHole() as hole:
        for address in SILENT:
            internet.place(hole, address, 80)
        with ImageReader(SourcePolicy(deadline_seconds=1.0)) as reader:
            outcome = reader.fetch("http://cdn.test/a")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "deadline"


def test_every_address_is_checked_before_any_is_dialled(internet: Internet) -> None:
    internet.name("cdn.test", [PUBLIC, "10.0.0.1"])
    with ImageReader(SourcePolicy(**QUICK)) as reader:
        outcome = reader.fetch("http://cdn.test/a")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "blocked_address"
    assert internet.dials == []


def test_what_all_attempts_met_is_raised() -> None:
    with pytest.raises(ConnectionRefusedError):
        dial(["127.0.0.2", "127.0.0.3"], 9, timeout=5.0, is_over=lambda: False)
    with BlackHole() as hole, pytest.raises(TimeoutError):
        dial(["127.0.0.1"], hole.port, timeout=0.01, is_over=lambda: False)


def test_the_slower_connections_are_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, BlackHole():
        port = server.getsockname()[1]
        dialled = dial(["127.0.0.2", "127.0.0.1"], port, timeout=5.0, is_over=lambda: False)
        assert dialled.address == "127.0.0.1"
        assert dialled.connection.getpeername() == ("127.0.0.1", port)
        dialled.connection.close()


def test_families_take_turns() -> None:
    assert interleaved([*DEAD, PUBLIC]) == [DEAD[0], PUBLIC, *DEAD[1:]]
    assert interleaved([PUBLIC]) == [PUBLIC]
