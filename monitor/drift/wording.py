"""How a share of rows is written."""

from __future__ import annotations

import math
from typing import Final

MISSING: Final = "–"


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage; never 0 or 100 when it is not quite.

    >>> percent(0.1234), percent(0.00002), percent(0), percent(1), percent(0.99999)
    ('12.3 %', '< 0.1 %', '0 %', '100 %', '> 99.9 %')
    """
    if math.isnan(share):
        return MISSING
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    if share < 0.0005:
        return "< 0.1 %"
    if share > 0.9995:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"
