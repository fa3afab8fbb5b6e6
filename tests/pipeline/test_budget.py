"""What is left for each verdict can be reached."""

import numpy as np
import pytest

from monitor.clusters import Clustering, fit
from monitor.drift import Rules, judge
from monitor.errors import InvalidInputError
from monitor.pipeline.budget import AlarmBudget
from monitor.rules import RunRules
from monitor.windows import Every

HOURLY = AlarmBudget.share_out(RunRules(every=Every.parse("1h")), n_features=10, n_segments=0)


def test_each_test_can_alarm_in_one_of_ten_hourly_features():
    rng = np.random.default_rng(0)
    which = np.repeat([0, 1], [900, 100])
    baseline = fit(
        np.eye(2, 6)[which] * 4 + rng.normal(size=(1_000, 6)) * 0.3, {"name": "x"}, Clustering(2)
    )
    # The clusters' shares are turned round, and half of the rows are unlike anything.
    window = np.eye(2, 6)[1] * 4 + rng.normal(size=(40, 6)) * 0.3
    window[:20] = np.eye(6)[5] * 4 + rng.normal(size=(20, 6)) * 0.3
    found = judge(baseline.sketch(window, {}), baseline, rules=Rules(HOURLY.window))
    assert len(found.tests) == 5
    assert {t.name: t.p_value <= HOURLY.window / 6 for t in found.tests} == {
        t.name: True for t in found.tests
    }


def test_levels_that_no_p_value_reaches_are_refused():
    rules = RunRules(every=Every.parse("1min"), max_false_alarms_per_year=0.01)
    with pytest.raises(InvalidInputError, match="so that nothing could alarm: allow more than"):
        AlarmBudget.share_out(rules, n_features=20, n_segments=50)
