"""Delivery by processes that are killed at random moments."""

import collections
import datetime as dt
import os
import random
import signal
import sys
import time

import pytest

from monitor.alerts import AlertsConfig, deliver, send
from monitor.store import Store
from monitor.store.alerts import Alerts
from tests.alerts.samples import NOW, alert, entry, message

N_MESSAGES, N_KILLS = 60, 25


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_no_message_is_lost_and_few_come_twice(sqlite_store, hook, tmp_path):
    config = AlertsConfig(channels=[{"name": "hook", "url": hook.url}])
    kept = Alerts(sqlite_store)
    kept.save_alert(alert(), [entry(str(i), title=f"message {i}") for i in range(N_MESSAGES)])
    # Apprise loads its plug-ins once, here, and not in each child.
    send(config.channels[0], message())
    hook.received.clear()
    url, rng = f"sqlite:///{tmp_path}/store.db", random.Random(0)
    sqlite_store.close()
    for at in range(N_KILLS):
        # Each worker comes after the leases of the one before have run out.
        child = os.fork()
        if child == 0:
            _work(url, config, NOW + dt.timedelta(hours=at))
        time.sleep(rng.uniform(0.005, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
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


def _work(url: str, config: AlertsConfig, now: dt.datetime) -> None:
    """What a worker does, in a process that never comes back."""
    try:
        with Store(url) as store:
            deliver(Alerts(store), config, lambda: now)
    finally:
        os._exit(0)
