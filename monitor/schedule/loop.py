"""A loop that wakes by the clock. What it does then, the store says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from monitor.schedule.cron import cron_trigger


def run_forever(
    work: Callable[[], None], cron: str, zone: str, stop: threading.Event | None = None
) -> None:
    """Work now, and again each time that `cron` says, until `stop` is set or somebody interrupts.

    A time that passes while the work goes on is made up for at once, once. Nothing is lost when the loop
    was not running, for it only wakes: what is due, the work finds out.

    Parameters
    ----------
    work
        One pass; called in this thread.
    cron
        As `cron_trigger` takes it.
    zone
        The zone that these are in.
    stop
        Ends the loop after the pass that is going on.

    Raises
    ------
    ConfigError
        If `cron` cannot be read.
    """
    from apscheduler.schedulers.background import BackgroundScheduler

    stop = stop or threading.Event()
    wake = threading.Event()
    # Its memory keeps nothing but the one trigger; however late it is, the loop is woken.
    scheduler = BackgroundScheduler(timezone=zone)
    scheduler.add_job(wake.set, _trigger(cron, zone), misfire_grace_time=None, coalesce=True)
    scheduler.start()
    try:
        while not stop.is_set():
            wake.clear()
            work()
            while not stop.is_set() and not wake.wait(timeout=1):
                pass
    finally:
        scheduler.shutdown(wait=False)


def _trigger(cron: str, zone: str) -> Any:
    """What wakes the loop."""
    return cron_trigger(cron, zone)
