"""How many cores there are for the work."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
_QUOTA_V1: Final = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


def n_cores() -> int:
    """How many cores this process may use: those of the machine, or of its container where that has fewer.

    Examples
    --------
    >>> n_cores() >= 1
    True
    """
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = container_cores(_CONTROL_GROUPS)
    return n if quota is None else max(1, min(n, round(quota)))


def container_cores(folder: Path) -> float | None:
    """The processor time that a container may take, in cores; None where it is not bounded.

    Parameters
    ----------
    folder
        Where Linux shows the control group, of version 2 (`cpu.max`) or 1 (`cpu/cpu.cfs_quota_us`).

    Examples
    --------
    >>> container_cores(Path("nowhere")) is None
    True
    """
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError):
        quota, period = ((folder / name).read_text(encoding="ascii") for name in _QUOTA_V1)
        return int(quota) / int(period) if int(quota) > 0 else None
    return None
