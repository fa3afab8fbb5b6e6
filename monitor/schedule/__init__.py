"""The schedule: which windows are due, who judges them, and the loop that wakes.

::

    clock ─► Plan (what is due) ─► leases in the store ─► WindowJudge ─► results in the store
"""

from monitor.schedule.grid import Grid, zone_of
from monitor.schedule.judging import Rolling, WindowJudge
from monitor.schedule.loop import check_cron, run_forever
from monitor.schedule.plan import Plan
from monitor.schedule.runner import Failed, Pass, Runner, utc_now

__all__ = [
    "Failed",
    "Grid",
    "Pass",
    "Plan",
    "Rolling",
    "Runner",
    "WindowJudge",
    "check_cron",
    "run_forever",
    "utc_now",
    "zone_of",
]
