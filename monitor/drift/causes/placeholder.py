"""Does one image stand in for many?"""

from __future__ import annotations

from typing import Final

from scipy import stats

_SHARE: Final = 0.05
_ROWS: Final = 10
"""So many copies of one image, of so large a share of the rows, are a broken feed's placeholder."""
_FEW_ROWS: Final = 5
_RARE: Final = 1e-5
"""Fewer copies have to be beyond chance in a small window, where no ten rows can be a tenth."""


def is_placeholder(repeated: float, n_rows: int, usual: float, n_baseline: int) -> bool:
    """Whether the most frequent image of a window is no image, but what is served instead of some.

    Parameters
    ----------
    repeated, usual
        The share of rows, in [0, 1], that are copies of the most frequent one, in the window and in its
        baseline.
    n_rows, n_baseline
        Rows with a vector.

    Examples
    --------
    >>> is_placeholder(0.1, 60, 0.0, 1_000), is_placeholder(0.1, 60, 0.05, 1_000)
    (True, False)
    >>> is_placeholder(0.25, 200, 0.2, 1_000)
    False
    """
    copies = round(repeated * n_rows)
    if repeated <= max(_SHARE, 2 * usual) or copies < _FEW_ROWS:
        return False
    if copies >= _ROWS:
        return True
    known = max(round(usual * n_baseline), 1)
    # Fisher's exact test, one-sided.
    chance = stats.hypergeom.sf(copies - 1, n_rows + n_baseline, copies + known, n_rows)
    return bool(chance <= _RARE)
