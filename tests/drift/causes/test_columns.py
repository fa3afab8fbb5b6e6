"""Which column carries a shift: worlds with a planted cause, and worlds without one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.value_table import MOST_VALUES, OTHER, count_values, fit_values
from monitor.drift.causes.column_explanation import ColumnExplanation
from monitor.drift.causes.columns import explain
from monitor.drift.causes.log_linear import common_shift, uneven_shift_p_values
from monitor.drift.causes.shift_parts import split_shift

K = 8
CATEGORIES = np.random.default_rng(0).dirichlet(np.full(K, 2.0), size=4)
"""(4, K): cluster shares of each category; the other columns say nothing of the clusters."""
Rows = tuple[dict[str, list[str]], NDArray[np.int64]]


def rows(
    n: int,
    rng: np.random.Generator,
    *,
    categories: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1),
    cause: str = "",
) -> Rows:
    category = rng.choice(4, n, p=categories)
    country = rng.choice(["FR", "DE", "IT", "ES"], n, p=[0.2, 0.4, 0.3, 0.1])
    # Goes with the country four times of five.
    camera = np.where(rng.random(n) < 0.8, np.isin(country, ["FR", "DE"]), rng.random(n) < 0.5)
    if cause == "new":
        country = np.where(rng.random(n) < 0.15, "XX", country)
    hit = {
        "": np.zeros(n, dtype=bool),
        "everywhere": rng.random(n) < 0.25,
        "FR": (country == "FR") & (rng.random(n) < 0.7),
        "new": (country == "XX") & (rng.random(n) < 0.9),
    }[cause]
    labels = (CATEGORIES[category].cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    columns = {
        "category": category,
        "country": country,
        "camera": camera,
        "batch": rng.integers(0, 40, n),
        "identifier": rng.integers(0, 10**9, n),
    }
    return (
        {name: [str(value) for value in values] for name, values in columns.items()},
        np.where(hit, K - 1, labels),
    )


def explained(baseline: Rows, window: Rows, seed: int = 0) -> tuple[ColumnExplanation, ...]:
    held = {
        name: fit_values(values, baseline[1], n_clusters=K) for name, values in baseline[0].items()
    }
    seen = {name: count_values(values, window[1], held[name]) for name, values in window[0].items()}
    return explain(held, seen, random_state=seed)


@pytest.fixture(scope="module")
def baseline() -> Rows:
    return rows(4000, np.random.default_rng(1))


def test_a_shift_in_one_country_is_found_there_and_not_where_it_only_goes_along(baseline):
    found = explained(baseline, rows(1000, np.random.default_rng(2), cause="FR"))
    assert found[0].column == "country"
    assert found[0].by_concentration
    assert not found[0].by_mix
    value = found[0].values[0]
    assert (value.value, value.is_new) == ("FR", False)
    assert value.shift_share == pytest.approx(1, abs=0.1)
    assert value.window_share == pytest.approx(0.2, abs=0.04)
    assert found[0].concentration == pytest.approx(0.8, abs=0.1)
    assert "of the shift sits in country = FR, which has" in found[0].sentence
    camera = next(column for column in found if column.column == "camera")
    assert 0 < camera.strength < found[0].strength
    for column in found:
        if column.column in ("category", "batch", "identifier"):
            assert column.strength == 0
            assert "does not explain" in column.sentence


def test_another_mix_of_categories_is_the_whole_shift(baseline):
    window = rows(1000, np.random.default_rng(3), categories=(0.1, 0.2, 0.2, 0.5))
    found = explained(baseline, window)
    assert found[0].column == "category"
    assert found[0].by_mix
    assert not found[0].by_concentration
    assert found[0].explained_share == pytest.approx(1, abs=0.15)
    assert "goes with another mix of category: 3 has 5" in found[0].sentence
    assert [column.strength for column in found[1:]] == [0, 0, 0, 0]


def test_a_new_value_is_named_as_new(baseline):
    found = explained(baseline, rows(1000, np.random.default_rng(4), cause="new"))
    value = found[0].values[0]
    assert (found[0].column, value.value, value.is_new) == ("country", "XX", True)
    assert value.baseline_share == 0
    assert "country = XX, which is new and has 1" in found[0].sentence


def test_a_shift_that_all_rows_share_names_no_column(baseline):
    found = explained(baseline, rows(1000, np.random.default_rng(5), cause="everywhere"))
    assert [column.strength for column in found] == [0] * 5


def test_columns_that_have_nothing_to_do_with_it_are_named_no_more_often_than_alpha():
    rng, named = np.random.default_rng(6), 0
    n_repeats = 40
    for repeat in range(n_repeats):
        cause = ("", "everywhere")[repeat % 2]
        n = int(rng.choice([40, 200, 600]))
        found = explained(rows(800, rng), rows(n, rng, cause=cause), seed=repeat)
        named += any(column.strength > 0 for column in found)
    assert stats.binomtest(named, n_repeats, 0.05, alternative="greater").pvalue > 0.01


def test_the_uneven_shift_test_keeps_its_level_with_few_rows_and_empty_cells():
    rng = np.random.default_rng(7)
    least = []
    for _ in range(150):
        shares = rng.dirichlet(np.full(10, 0.5), size=6)
        moved = 0.7 * shares
        moved[:, -1] += 0.3 * shares.sum(axis=1)
        tilted = shares * rng.choice([1, 4], size=10)
        tilted /= tilted.sum(axis=1, keepdims=True)
        table = np.stack(
            [
                rng.multinomial([200, 100, 60, 40, 30, 20], shares),
                rng.multinomial([40, 20, 12, 10, 6, 5], tilted),
            ]
        )
        least.append(uneven_shift_p_values(table, rng=rng).min())
    for alpha in (0.05, 0.2):
        n_alarms = int(np.sum(np.array(least) <= alpha))
        assert stats.binomtest(n_alarms, 150, alpha, alternative="greater").pvalue > 0.005


def test_the_common_shift_keeps_all_three_margins_and_has_one_odds_ratio():
    table = np.random.default_rng(8).integers(5, 60, size=(2, 3, 4)).astype(float)
    fitted = common_shift(table)
    for axis in range(3):
        assert fitted.sum(axis=axis) == pytest.approx(table.sum(axis=axis), rel=1e-3)
    odds = fitted[1] / fitted[0]
    ratios = odds / odds[:, :1]
    assert ratios == pytest.approx(np.broadcast_to(ratios[0], ratios.shape), rel=1e-2)


def test_parts_add_up_and_are_those_of_standardisation_by_hand():
    held = np.array([[600, 300, 100], [100, 300, 600]]) * 10_000
    seen = np.array([[100, 50, 50], [100, 300, 400]]) * 10_000
    p, q = held.sum(axis=0) / held.sum(), seen.sum(axis=0) / seen.sum()
    standardised = 0.2 * held[0] / held[0].sum() + 0.8 * held[1] / held[1].sum()
    along = (q - p) / ((p + q) / 2)
    parts = split_shift(held, seen, held)
    assert parts.mix == pytest.approx((standardised - p) @ along / ((q - p) @ along), abs=1e-4)
    assert parts.mix + parts.own.sum() == pytest.approx(1)


def test_parts_are_free_of_the_sampling_error_that_many_small_values_add():
    # 40 values of 10 rows each in the window; only the mean over repeats tells a bias.
    rng = np.random.default_rng(9)
    p, q = np.full(6, 1 / 6), np.array([0.35, 0.13, 0.13, 0.13, 0.13, 0.13])
    parts = []
    for _ in range(300):
        held = rng.multinomial(40, p, size=40)
        parts.append(split_shift(held, rng.multinomial(10, q, size=40), held).mix)
    assert np.mean(parts) == pytest.approx(0, abs=4 * np.std(parts) / np.sqrt(300) + 0.01)


def test_tables_add_up_in_any_order_and_keep_their_size():
    rng = np.random.default_rng(10)
    held = fit_values(["a"] * 5 + ["b"] * 3, np.zeros(8), n_clusters=3)
    values = [f"n{v}" for v in rng.integers(0, 400, 3000)] + ["a"] * 100
    labels = rng.integers(0, 3, len(values))
    whole = count_values(values, labels, held)
    order = rng.permutation(len(values))
    merged = count_values([], [], held)
    for part in np.array_split(order, 13):
        merged = merged + count_values([values[row] for row in part], labels[part], held)
    assert merged.new == whole.new
    assert len(whole.new) == MOST_VALUES
    assert np.array_equal(merged.counts, whole.counts)
    assert np.array_equal(merged.new_counts, whole.new_counts)
    assert whole.n == len(values)
    assert whole.counts[0].sum() == 100


def test_a_rare_value_of_the_baseline_is_not_new():
    values = [f"v{k:03}" for k in range(80)] + ["v000"]
    held = fit_values(values, np.zeros(81), n_clusters=1)
    assert len(held.known) == MOST_VALUES
    assert held.counts[-1].sum() == 80 - MOST_VALUES
    window = count_values(["v000", "v079", "w"], [0, 0, 0], held)
    assert window.new == ("w",)
    assert window.counts[-1].tolist() == [1]
    identifiers = fit_values([str(k) for k in range(20_000)], np.zeros(20_000), n_clusters=1)
    assert count_values(["x"], [0], identifiers).new == ()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_handful_of_rows_names_nothing(baseline, n):
    found = explained(baseline, rows(n, np.random.default_rng(11)))
    assert [column.strength for column in found] == [0] * 5


def test_the_same_window_gives_the_same_answer(baseline):
    window = rows(300, np.random.default_rng(12), cause="FR")
    assert explained(baseline, window) == explained(baseline, window)
    assert explain({}, {}) == ()


def test_what_does_not_fit_is_refused():
    one = fit_values(["a", "b"], [0, 1], n_clusters=2)
    other = fit_values(["a", "c"], [0, 1], n_clusters=2)
    with pytest.raises(ValueError, match="different baselines"):
        _ = one + other
    with pytest.raises(ValueError, match="'country' was made for another baseline"):
        explain({"country": one}, {"country": count_values(["a"], [0], other)})
    with pytest.raises(ValueError, match="2 values and labels of shape"):
        count_values(["a", OTHER], [0], one)
