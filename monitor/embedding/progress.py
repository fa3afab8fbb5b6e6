"""A progress bar on stderr, and silence where nobody looks."""

from __future__ import annotations

import sys
from typing import Any


def progress_bar(total: int, label: str, shown: bool | None) -> Any:
    """A tqdm bar over `total` rows; `shown=None` shows it when stderr is a terminal."""
    from tqdm import tqdm

    visible = sys.stderr.isatty() if shown is None else shown
    return tqdm(total=total, desc=label, unit="image", disable=not visible, file=sys.stderr)
