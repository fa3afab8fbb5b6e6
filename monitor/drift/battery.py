"""The tests that every window goes through."""

from __future__ import annotations

import math
from typing import Final

from monitor.drift.comparison import Comparison
from monitor.drift.judgement import Outcome
from monitor.drift.kernel_mean import KERNEL_MEAN
from monitor.drift.mean import MEAN, WHITENED_MEAN
from monitor.drift.mix import MIX
from monitor.drift.novelty import NOVELTY
from monitor.drift.pixel_test import PIXELS
from monitor.drift.subtest import SubTest
from monitor.errors import InvalidInputError

TESTS: Final[tuple[SubTest, ...]] = (MIX, NOVELTY, MEAN, WHITENED_MEAN, KERNEL_MEAN, PIXELS)
"""In this order they draw, and are shown."""


def subtest_named(name: str) -> SubTest:
    """The test of that name.

    Raises
    ------
    InvalidInputError
        If there is none, as in the report of a version with other tests.
    """
    for test in TESTS:
        if test.name == name:
            return test
    raise InvalidInputError(
        f"there is no test {name!r}; known are {', '.join(test.name for test in TESTS)}: read the "
        "report with the version that wrote it"
    )


def examine(
    comparison: Comparison, alpha: float, *, says_detectable: bool = True
) -> tuple[Outcome, ...]:
    """What every test says of a window, precise enough for all together to be held against `alpha`.

    What a test could have detected takes a while: without `says_detectable` it is NaN.
    """
    # All null distributions first: none depends on what another test makes of the window.
    tests = [test for test in TESTS if test.applies(comparison)]
    nulls = [test.null(comparison) for test in tests]
    part = alpha / len(tests)
    detectable = comparison.known_of_its_size if says_detectable else {}
    for test, null in zip(tests, nulls, strict=True):
        if says_detectable and (test.name, part) not in detectable:
            detectable[test.name, part] = null.detectable(part)
    p_values = [null.p_value(part) for null in nulls]
    return tuple(
        Outcome(
            name=test.name,
            statistic=null.statistic,
            p_value=p_value,
            effect=null.effect(),
            detectable=detectable.get((test.name, part), math.nan),
        )
        for test, null, p_value in zip(tests, nulls, p_values, strict=True)
    )


def clarity(comparison: Comparison) -> float:
    """The largest of the statistics, in standard deviations above its mean without drift.

    Where windows vary as a whole, a test's standard deviation is as many times larger.
    """
    return max(
        test.clarity(comparison) / comparison.spread(test.name)
        for test in TESTS
        if test.applies(comparison)
    )
