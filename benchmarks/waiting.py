"""Waiting for a server of our own to answer."""

from __future__ import annotations

import time
import urllib.request


def wait_for(address: str) -> None:
    """Until `address` answers; ends the program where it does not within ten minutes."""
    for _ in range(3_000):
        try:
            urllib.request.urlopen(address, timeout=5).read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the page does not answer")
