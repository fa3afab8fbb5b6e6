"""Delivery by processes that are killed at random moments."""

import collections
import datetime as dt
import queue
import random
import signal
import sys
import threading
from multiprocessing.connection import wait

import pytest

from monitor.alerts import AlertsConfig, deliver
from monitor.store.alerts import Alerts
from tests.alerts.samples import NOW, alert, entry
from tests.preloaded import forks

N_MESSAGES, N_KILLS = 30, 12


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_no_message_is_lost_and_few_come_twice(sqlite_store, hook, tmp_path):
    config = AlertsConfig(channels=[{"name": "hook", "url": hook.url}])
    kept = Alerts(sqlite_store)
    kept.save_alert(alert(), [entry(str(i), title=f"message {i}") for i in range(N_MESSAGES)])
    from tests.alerts.deliverers import work  # loads what each worker would load anew

    # Forked from a process of their own that has never sent anything: a child of this one would wait for
    # the threads that apprise keeps, which a fork leaves behind.
    workers = forks()
    url, rng = f"sqlite:///{tmp_path}/store.db", random.Random(0)
    sqlite_store.close()
    arrived = queue.SimpleQueue[threading.Event | None]()

    def pause() -> None:
        may_answer = threading.Event()
        arrived.put(may_answer)
        may_answer.wait()

    hook.before_answer = pause
    for at in range(N_KILLS):
        # Each worker comes after the leases of the one before have run out.
        child = workers.Process(target=work, args=(url, config, NOW + dt.timedelta(hours=at)))
        child.start()
        watcher = threading.Thread(target=_tell_end, args=(child.sentinel, arrived))
        watcher.start()
        last = arrived.get()
        for _ in range(rng.randint(0, 2)):
            if last is not None:
                last.set()
                last = arrived.get()
        # Before it has its answer, or at some moment afterwards.
        if last is not None and rng.random() < 0.5:
            last.set()
        child.kill()
        child.join()
        watcher.join()
        assert child.exitcode in (0, -signal.SIGKILL)
        for request in [last, *(arrived.get() for _ in range(arrived.qsize()))]:
            if request is not None:
                request.set()
    hook.before_answer = lambda: None
    deliver(kept, config, lambda: NOW + dt.timedelta(days=30))
    found = kept.entries()
    assert {one.state for one in found} == {"delivered"}
    # Some were killed between claiming and noting, or this would show nothing.
    assert any(one.attempts > 1 for one in found)
    arrived = collections.Counter(got["title"] for got in hook.received)
    assert set(arrived) == {f"message {i}" for i in range(N_MESSAGES)}
    assert sum(arrived.values()) - N_MESSAGES <= N_KILLS
    with sqlite_store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def _tell_end(sentinel: int, arrived: queue.SimpleQueue[threading.Event | None]) -> None:
    """A worker that ends by itself sends nothing more: nobody waits for it."""
    wait([sentinel])
    arrived.put(None)
