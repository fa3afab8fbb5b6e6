"""What a metadata column explains of a shift: values, and one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LEAST_STRENGTH: Final = 0.2
"""A column that explains less than a fifth of the shift is not worth naming. The bound also keeps out columns
whose values start from different shares, over which one common influx looks a little uneven."""


@dataclass(frozen=True)
class ValueShift:
    """What the rows with one value of a column did.

    Parameters
    ----------
    value
        The value.
    is_new
        Whether the baseline has no row with it; its rows are then held against the whole baseline.
    baseline_share, window_share
        Its share of the rows, in [0, 1].
    shift_share
        Its share of the shift, in which the rows of this value moved from where they were; 1 is all of
        it, less than 0 moves against it. With `explained_share` they add up to 1.
    p_value
        Whether it carries more, or less, of the shift than one common to all values would give it;
        adjusted over the values.
    """

    value: str
    is_new: bool
    baseline_share: float
    window_share: float
    shift_share: float
    p_value: float


@dataclass(frozen=True)
class ColumnExplanation:
    """What one column explains of a shift.

    Parameters
    ----------
    column
        Its name.
    explained_share
        How much of the shift disappears when the baseline is given the window's mix of values: 1 is all
        of it; below 0, the mix moved against it.
    mix_p_value
        The p-value of both together: that the mix of values changed, and that values go with
        clusters. Adjusted by Holm over columns and kinds.
    concentration
        How much of the shift sits where the rows do not: the surplus of `shift_share` over the part that
        as many rows of a common shift would have, summed over the values whose surplus is significant.
    concentration_p_value
        Whether some values carry more of it than others; adjusted in the same way.
    values
        The one with the greatest surplus first. Values with very few rows count as `OTHER`.
    alpha
        The significance level up to which the column is said to carry the shift.
    """

    column: str
    explained_share: float
    mix_p_value: float
    concentration: float
    concentration_p_value: float
    values: tuple[ValueShift, ...]
    alpha: float

    @property
    def by_mix(self) -> bool:
        """Whether the shift comes with another mix of the values."""
        return self.mix_p_value <= self.alpha and self.explained_share >= _LEAST_STRENGTH

    @property
    def by_concentration(self) -> bool:
        """Whether the shift sits in some of the values."""
        return self.concentration_p_value <= self.alpha and self.concentration >= _LEAST_STRENGTH

    @property
    def strength(self) -> float:
        """How much of the shift the column explains, in [0, 1]; 0 when that may be chance."""
        share = max(
            self.explained_share if self.by_mix else 0.0,
            self.concentration if self.by_concentration else 0.0,
        )
        return min(share, 1.0)

    @property
    def sentence(self) -> str:
        """What the column explains, in plain English."""
        if self.by_mix and not (
            self.by_concentration and self.concentration > self.explained_share
        ):
            most = max(
                self.values, key=lambda value: abs(value.window_share - value.baseline_share)
            )
            return (
                f"{_percent(self.explained_share)} of the shift goes with another mix of "
                f"{self.column}: {most.value} has {_percent(most.window_share)} of the rows, "
                f"{_percent(most.baseline_share)} in the baseline"
            )
        if self.by_concentration:
            value = self.values[0]
            return (
                f"{_percent(value.shift_share)} of the shift sits in {self.column} = {value.value}, "
                f"which {'is new and ' if value.is_new else ''}has {_percent(value.window_share)} of "
                "the rows"
            )
        return f"{self.column} does not explain the shift"


def _percent(share: float) -> str:
    # An estimate may be a little more than all.
    return f"{min(share, 1.0):.0%}".replace("%", " %")
