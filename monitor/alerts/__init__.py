"""Judged windows become alerts, and alerts reach people.

::

    WindowDrift ─► evaluate (rules) ─► Action ─► compose ─► Message ─► outbox ─► deliver ─► channels
                        └── open alerts ◄──────────── store ◄──────────────┘

Rules are pure: the same windows and the same known alerts give the same actions, so a window may be
evaluated again after a crash. Each message is queued once, in one transaction with its alert, and
delivered at least once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.alerts.alert import Alert, AlertState, Event, Message, OutboxEntry
    from monitor.alerts.channels import send
    from monitor.alerts.delivery import Delivered, deliver
    from monitor.alerts.message import compose
    from monitor.alerts.outbox import AlertStore, raise_alerts
    from monitor.alerts.rule import AlertRule, Severity
    from monitor.alerts.rules import Action, evaluate
    from monitor.alerts.settings import AlertChannel, AlertsConfig

_HOME = {
    "Action": "rules",
    "Alert": "alert",
    "AlertChannel": "settings",
    "AlertRule": "rule",
    "AlertState": "alert",
    "AlertStore": "outbox",
    "AlertsConfig": "settings",
    "Delivered": "delivery",
    "Event": "alert",
    "Message": "alert",
    "OutboxEntry": "alert",
    "Severity": "rule",
    "compose": "message",
    "deliver": "delivery",
    "evaluate": "rules",
    "raise_alerts": "outbox",
    "send": "channels",
}

__all__ = [
    "Action",
    "Alert",
    "AlertChannel",
    "AlertRule",
    "AlertState",
    "AlertStore",
    "AlertsConfig",
    "Delivered",
    "Event",
    "Message",
    "OutboxEntry",
    "Severity",
    "compose",
    "deliver",
    "evaluate",
    "raise_alerts",
    "send",
]


def __getattr__(name: str) -> object:
    # Lazy, so that a config that only names channels loads neither apprise nor scipy.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
