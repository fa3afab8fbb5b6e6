"""What outlives a run: baselines, windows, results, alerts, in SQLite or PostgreSQL.

::

    Store ─► tables (one row per revision of a window) ─► leases (who judges it) ─► results ─► reports

A `Period` is a window, `monitor.windows.Window`, as a store and who reads it name it: a `Claim` has one.

Only this room and what queues alerts know SQL; nothing in a store is ever unpickled.
"""

from monitor.store.leases import Claim
from monitor.store.queries import PastResult, ResultLine
from monitor.store.results import JudgedWindow
from monitor.store.store import Store
from monitor.windows import Window as Period

__all__ = ["Claim", "JudgedWindow", "PastResult", "Period", "ResultLine", "Store"]
