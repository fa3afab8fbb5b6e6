"""A process that delivers what is due, and what it needs loaded: whoever imports this forks quickly."""

from __future__ import annotations

import datetime as dt

from monitor.alerts import AlertsConfig, deliver
from monitor.alerts.channels import check_channel
from monitor.alerts.settings import AlertChannel
from monitor.store import Store
from monitor.store.alerts import Alerts

# Makes apprise load all its plug-ins; it sends nothing, and so starts none of its threads.
check_channel(AlertChannel(name="hook", url="json://localhost"))


def work(url: str, config: AlertsConfig, now: dt.datetime) -> None:
    """Deliver what is due at `now`."""
    with Store(url) as store:
        deliver(Alerts(store), config, lambda: now)
