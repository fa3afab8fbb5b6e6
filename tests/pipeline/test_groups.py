"""Photos of one product are no independent evidence: with `group_column` the level holds."""

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.clusters.content import content_keys
from monitor.clusters.twins import twin_groups, twin_share
from monitor.drift import Rules, judge
from monitor.errors import BaselineError, InvalidInputError, MissingColumnError

POINTS = monitor.VectorFeature(name="points", column="vector", n_clusters=4)
CENTRES = np.random.default_rng(3).normal(size=(4, 12)) * 2 + 1


def products(n, copies, rng):
    """A table of `n` products, each seen so many times."""
    rows = CENTRES[rng.choice(4, n)] + rng.normal(size=(n, 12))
    product = np.repeat(np.arange(n), copies)
    vectors = rows[product] + 0.1 * rng.normal(size=(len(product), 12))
    return pd.DataFrame({"vector": list(vectors), "product": [f"p{p}" for p in product]})


def quiet_p_values(copies, column, n_baselines):
    rng = np.random.default_rng(0)
    rules = Rules(0.01, distances=())
    for _ in range(n_baselines):
        baseline = monitor.fit_baseline(products(400, copies, rng), POINTS, group_column=column)
        for _ in range(12):
            rows = np.stack(products(70, copies, rng)["vector"].to_list())
            yield judge(baseline.sketch(rows, {}), baseline, rules=rules).p_value


@pytest.mark.parametrize("copies", [3, 1])
def test_the_level(copies):
    p_values = np.array(list(quiet_p_values(copies, "product", n_baselines=6)))
    assert (p_values <= 0.05).mean() < 0.13
    # It is not only silent because it cannot speak.
    assert np.median(p_values) < 0.9


def test_the_level_where_nothing_names_the_groups():
    p_values = np.array(list(quiet_p_values(3, None, n_baselines=3)))
    # Of rows that are taken as independent, more than 40 % have such a p-value.
    assert (p_values <= 0.05).mean() < 0.13
    assert np.median(p_values) < 0.9


def test_a_shift_is_seen_and_the_report_says_how_it_was_judged():
    rng = np.random.default_rng(1)
    baseline = monitor.fit_baseline(products(400, 3, rng), POINTS, group_column="product")
    other = products(70, 3, rng)
    other["vector"] = [vector + 2 for vector in other["vector"]]
    report = monitor.detect_drift(other, baseline)
    assert report.to_frame()["verdict"].tolist() == ["drift"]
    assert any("samples of whole groups" in note for note in report.notes)


def test_rows_without_a_group_are_groups_of_their_own():
    rng = np.random.default_rng(2)
    frame = products(400, 1, rng)
    frame["product"] = frame["product"].where(np.arange(len(frame)) % 4 != 0)
    baseline = monitor.fit_baseline(frame, POINTS, group_column="product")
    assert baseline.statistics.grouped is not None
    (note,) = baseline.facts.notes
    assert "100 of 400 rows" in note
    assert "'product'" in note
    assert note in monitor.detect_drift(frame, baseline).notes


def test_a_group_column_without_a_value_is_refused():
    frame = products(400, 1, np.random.default_rng(2)).assign(product=None)
    with pytest.raises(InvalidInputError, match="no value in any row"):
        monitor.fit_baseline(frame, POINTS, group_column="product")


def test_few_groups_are_enough_to_tell_that_they_differ():
    """Twenty patients, of whom each has something of its own."""
    rng = np.random.default_rng(4)

    def patients(n):
        own = rng.normal(size=(n, 8)) * 0.6
        which = np.repeat(np.arange(n), 20)
        return pd.DataFrame(
            {
                "vector": list(own[which] + rng.normal(size=(len(which), 8))),
                "product": which.astype(str),
            }
        )

    quiet = [patients(6) for _ in range(8)]
    baseline = monitor.fit_baseline(patients(20), POINTS, group_column="product")
    assert not any(monitor.detect_drift(frame, baseline).has_drift for frame in quiet)
    alone = monitor.fit_baseline(patients(20).drop(columns="product"), POINTS)
    assert sum(monitor.detect_drift(frame, alone).has_drift for frame in quiet) > 4


@pytest.mark.parametrize(("n_groups", "said"), [(9, "are too few to tell"), (1, "of one group")])
def test_too_few_groups_are_told(n_groups, said):
    frame = products(400, 1, np.random.default_rng(2))
    frame["product"] = (np.arange(len(frame)) % n_groups).astype(str)
    if n_groups == 1:
        with pytest.raises(BaselineError, match=said):
            monitor.fit_baseline(frame, POINTS, group_column="product")
        return
    baseline = monitor.fit_baseline(frame, POINTS, group_column="product")
    assert said in " ".join(monitor.detect_drift(frame, baseline).notes)


def test_a_column_that_is_not_there_is_told():
    frame = products(400, 1, np.random.default_rng(3))
    with pytest.raises(MissingColumnError, match="produkt"):
        monitor.fit_baseline(frame, POINTS, group_column="produkt")


def test_twins_that_no_group_column_names_are_told():
    frame = products(400, 2, np.random.default_rng(3))
    report = monitor.detect_drift(frame, monitor.fit_baseline(frame, POINTS))
    assert "have a twin" in " ".join(report.notes)
    assert "were taken as groups" in " ".join(report.notes)
    named = monitor.detect_drift(frame, monitor.fit_baseline(frame, POINTS, group_column="product"))
    assert "have a twin" not in " ".join(named.notes)


def test_a_placeholder_is_no_group():
    rng = np.random.default_rng(4)
    rows = np.stack(products(150, 2, rng)["vector"].to_list()).astype(np.float32)
    rows[:60] = rows[0]
    groups = twin_groups(rows, content_keys(rows))
    assert groups is not None
    # New rows will hold it as well, so it is dealt to both sides like any other row.
    assert len(set(groups[:60].tolist())) == 60
    assert (groups[60::2] == groups[61::2]).mean() > 0.9


def test_pictures_that_are_sent_again_are_no_group():
    rng = np.random.default_rng(5)
    stock = np.stack(products(150, 1, rng)["vector"].to_list()).astype(np.float32)
    rows = stock[rng.integers(150, size=600)]
    assert twin_groups(rows, content_keys(rows)) is None


def test_frames_of_a_film_are_no_group_and_can_be_fitted_on():
    rng = np.random.default_rng(6)
    steps = np.cumsum(rng.normal(size=(40, 24)), axis=0)
    # Each frame lies between its neighbours.
    at = np.linspace(0, 39, 400)
    rows = np.stack([np.interp(at, np.arange(40), column) for column in steps.T], axis=1)
    rows = rows.astype(np.float32)
    assert twin_share(rows) > 0.5
    assert twin_groups(rows, content_keys(rows)) is None
    assert monitor.fit_baseline(pd.DataFrame({"vector": list(rows)}), POINTS).twins > 0.5


@pytest.mark.parametrize("scaling", ["raw", "standard", "unit"])
def test_a_vector_of_another_scale_is_told(scaling):
    frame = products(400, 1, np.random.default_rng(5))
    frame.at[7, "vector"] = frame["vector"][7] * 1e5
    points = POINTS.model_copy(update={"scaling": scaling})
    notes = " ".join(monitor.fit_baseline(frame, points).facts.notes)
    # Of directions alone it is a row like others.
    assert ("1 of 400 vectors" in notes) == (scaling != "unit")
