"""The schedule: which windows are due, who judges them, and the loop that wakes.

::

    clock ─► Plan (what is due) ─► leases in the store ─► WindowJudge ─► results in the store
"""

from monitor.schedule.cron import check_cron
from monitor.schedule.judging import WindowJudge
from monitor.schedule.loop import run_forever
from monitor.schedule.outcomes import Failed, NoBaselineYet, NoRowsYet, Pass
from monitor.schedule.plan import Plan
from monitor.schedule.rolling import Rolling
from monitor.schedule.runner import Runner, utc_now
from monitor.windows import Grid

__all__ = [
    "Failed",
    "Grid",
    "NoBaselineYet",
    "NoRowsYet",
    "Pass",
    "Plan",
    "Rolling",
    "Runner",
    "WindowJudge",
    "check_cron",
    "run_forever",
    "utc_now",
]
