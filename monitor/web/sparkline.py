"""A feature's last windows as a small drawing: what changed, above how many rows came and failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.store.lines import WindowLine

WIDTH: Final = 300
_SHARE_TOP, _SHARE_FOOT = 3.0, 34.0
_ROWS_TOP, _ROWS_FOOT = 40.0, 56.0
HEIGHT: Final = 57


@dataclass(frozen=True)
class Sparkline:
    """Paths in a view box of `WIDTH` × `HEIGHT`.

    Parameters
    ----------
    share
        The share of rows that changed, as a line; broken where it is not known.
    drifted
        Where windows drifted, as triangles.
    rows, failed
        Bars: rows with a vector, and on top of them those without.
    words
        The same for who does not see it.
    """

    share: str
    drifted: str
    rows: str
    failed: str
    words: str


def sparkline(shown: Sequence[WindowLine]) -> Sparkline | None:
    """The drawing of these windows, oldest first; None where there are none."""
    if not shown:
        return None
    slot = WIDTH / max(len(shown), 12)
    left = WIDTH - slot * len(shown)
    highest = max([0.05, *(w.share for w in shown if w.share is not None)])
    most = max(1, *(w.n_rows for w in shown))
    line, drifted, rows, failed = [], [], [], []
    is_down = False
    for i, window in enumerate(shown):
        x = left + slot * (i + 0.5)
        y = _SHARE_FOOT - (_SHARE_FOOT - _SHARE_TOP) * _known_share(window) / highest
        is_known = window.verdict != "inconclusive"
        if is_known:
            line.append(f"{'L' if is_down else 'M'}{x:.1f} {y:.1f}")
        is_down = is_known
        if window.verdict == "drift":
            drifted.append(f"M{x:.1f} {y - 3.4:.1f}l3.2 5.8h-6.4z")
        good = (_ROWS_FOOT - _ROWS_TOP) * (window.n_rows - window.n_failed) / most
        bad = (_ROWS_FOOT - _ROWS_TOP) * window.n_failed / most
        width = max(slot * 0.7, 0.6)
        start = x - width / 2
        rows.append(f"M{start:.1f} {_ROWS_FOOT:.1f}v{-good:.2f}h{width:.1f}v{good:.2f}z")
        if bad:
            failed.append(f"M{start:.1f} {_ROWS_FOOT - good:.2f}v{-bad:.2f}h{width:.1f}v{bad:.2f}z")
    n_drifted = sum(w.verdict == "drift" for w in shown)
    total, n_failed = sum(w.n_rows for w in shown), sum(w.n_failed for w in shown)
    words = (
        f"{n_drifted} of the last {len(shown)} windows drifted; {total:,} rows, {n_failed:,} failed"
    )
    return Sparkline("".join(line), "".join(drifted), "".join(rows), "".join(failed), words)


def _known_share(window: WindowLine) -> float:
    return 0.0 if window.share is None or window.verdict != "drift" else min(window.share, 1.0)
