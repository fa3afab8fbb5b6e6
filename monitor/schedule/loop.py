"""A loop that wakes by the clock. What it does then, the store says."""

from __future__ import annotations

import threading
from collections.abc import Callable

from monitor.errors import ConfigError


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
        Five fields: minute, hour, day, month, day of the week.
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


def check_cron(cron: str) -> None:
    """Pass if `cron` can be read.

    Raises
    ------
    ConfigError
        If not.

    Examples
    --------
    >>> check_cron("*/15 * * * *")
    """
    _trigger(cron, "UTC")


def _trigger(cron: str, zone: str) -> object:
    from apscheduler.triggers.cron import CronTrigger

    try:
        return CronTrigger.from_crontab(cron, timezone=zone)
    except ValueError as error:
        raise ConfigError(
            f"{cron!r} is no cron expression ({error}): give five fields such as '*/15 * * * *'"
        ) from error
