"""fit_baseline and detect_drift on frames whose vectors are ready-made."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon

import monitor
from monitor.errors import (
    BaselineError,
    FingerprintMismatchError,
    InvalidFeatureError,
    InvalidInputError,
    MissingColumnError,
    TimestampError,
)
from monitor.frames.fingerprints import FINGERPRINT_KEY
from monitor.pipeline import rows

FEATURE = monitor.VectorFeature(name="points", column="vector", n_clusters=4)
DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def table(n: int, seed: int, *, shift: float = 0.0, start=START, length=DAY) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    vectors = np.eye(16)[rng.integers(4, size=n)] * 3 + rng.normal(scale=0.5, size=(n, 16)) + shift
    return pd.DataFrame(
        {
            "vector": list(vectors.astype(np.float32)),
            "ts": [start + length * float(x) for x in rng.random(n)],
            "country": rng.choice(["de", "fr", "it"], size=n),
        }
    )


def days(*shifts: float, n: int = 200) -> pd.DataFrame:
    return pd.concat(
        [table(n, 50 + i, shift=s, start=START + i * DAY) for i, s in enumerate(shifts)],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def baseline():
    return monitor.fit_baseline(table(1000, 0), FEATURE, timestamp_column="ts")


def test_one_row_per_feature_and_window(baseline):
    report = monitor.detect_drift(days(0, 0, 0.3, 0), baseline, timestamp_column="ts", every="1d")
    frame = report.to_frame()
    named = (
        "feature window_start window_end n_rows n_failed jsd psi p_value jsd_noise_floor verdict"
    )
    assert set(named.split()) <= set(frame.columns)
    assert frame.verdict.tolist() == ["no drift", "no drift", "drift", "no drift"]
    assert frame.window_start.tolist() == [pd.Timestamp(START + i * DAY) for i in range(4)]
    assert frame.window_end.tolist() == [pd.Timestamp(START + (i + 1) * DAY) for i in range(4)]
    assert frame.alpha.unique().tolist() == [pytest.approx(0.5 / 365.25)]
    assert report.has_drift


def test_scores_can_be_recomputed_from_the_histograms(baseline):
    (window,) = monitor.detect_drift(table(200, 5, shift=0.2), baseline).windows
    found = window.judgement
    base, seen = found.baseline_histogram, found.window_histogram
    assert found.scores["jsd"].value == pytest.approx(jensenshannon(base, seen, base=2))
    p, q = (base + 1) / (base + 1).sum(), (seen + 1) / (seen + 1).sum()
    assert found.scores["psi"].value == pytest.approx(((q - p) * np.log(q / p)).sum())
    # Nearest centroids, found here by another way.
    unit = np.stack(table(200, 5, shift=0.2)["vector"])
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    labels = ((unit[:, None] - baseline.centroids) ** 2).sum(axis=2).argmin(axis=1)
    assert seen.tolist() == np.bincount(labels, minlength=4).tolist()


def test_without_every_all_rows_are_one_window(baseline):
    (window,) = monitor.detect_drift(table(100, 1), baseline).windows
    assert window.start is None
    assert window.n_rows == 100
    (dated,) = monitor.detect_drift(table(100, 1), baseline, timestamp_column="ts").windows
    assert dated.start is not None
    assert dated.start < dated.end
    assert dated.n_rows == 100


@pytest.mark.parametrize(
    "convert",
    [lambda f: f, pl.from_pandas, lambda f: pa.Table.from_pandas(f)],
    ids=["pandas", "polars", "arrow"],
)
def test_every_kind_of_frame_gives_the_same_verdict(baseline, convert):
    frame = days(0, 0.3)
    found = monitor.detect_drift(convert(frame), baseline, timestamp_column="ts", every="1d")
    expected = monitor.detect_drift(frame, baseline, timestamp_column="ts", every="1d")
    pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())


def test_bad_rows_are_counted_and_change_nothing_else(baseline):
    good = table(200, 3)
    bad = pd.DataFrame(
        {
            "vector": pd.Series([None, [1.0, 2.0], [np.nan] * 16, [0.0] * 16, "no"], dtype=object),
            "ts": [START] * 5,
        }
    )
    clean = monitor.detect_drift(good, baseline).windows[0]
    dirty = monitor.detect_drift(pd.concat([bad, good]), baseline).windows[0]
    assert dirty.judgement.p_value == clean.judgement.p_value
    assert dirty.n_rows == 205
    assert dirty.failures == {
        "missing": 1, "wrong_dimension": 1, "not_finite": 1, "zero_vector": 1, "not_numeric": 1,
    }  # fmt: skip


def test_a_day_without_rows_and_a_day_of_failures_are_inconclusive(baseline):
    frame = pd.concat([days(0), table(20, 9, start=START + 2 * DAY)], ignore_index=True)
    frame["vector"] = [v if i < 200 else None for i, v in enumerate(frame["vector"])]
    found = monitor.detect_drift(frame, baseline, timestamp_column="ts", every="1d").to_frame()
    assert found.verdict.tolist() == ["no drift", "inconclusive", "inconclusive"]
    assert found.n_rows.tolist() == [200, 0, 20]
    assert found.n_failed.tolist() == [0, 0, 20]
    assert found.n_rows_needed.tolist()[1:] == [20, 20]


def test_an_empty_frame_and_one_row(baseline):
    empty = table(5, 0).iloc[:0]
    assert monitor.detect_drift(empty, baseline).to_frame().verdict.tolist() == ["inconclusive"]
    assert monitor.detect_drift(table(1, 0), baseline).to_frame().verdict.tolist() == [
        "inconclusive"
    ]
    undated = table(50, 0).assign(ts=pd.NaT)
    for frame in (empty, undated):
        report = monitor.detect_drift(frame, baseline, timestamp_column="ts", every="1d")
        assert report.to_frame().verdict.tolist() == ["inconclusive"]
        assert report.to_frame().n_rows.tolist() == [0]


def test_rows_without_a_time_are_named(baseline):
    frame = table(100, 1)
    frame["ts"] = [None if i < 7 else t for i, t in enumerate(frame["ts"])]
    report = monitor.detect_drift(frame, baseline, timestamp_column="ts", every="1d")
    assert report.windows[0].n_rows == 93
    assert any("7 rows have no readable time" in note for note in report.notes)


def test_rows_that_were_delivered_twice_are_told(baseline):
    once, again = days(0, 0), days(0, 0).iloc[200:]
    twice = pd.concat([once, again])
    report = monitor.detect_drift(twice, baseline, timestamp_column="ts", every="1d")
    assert [window.repeated for window in report.windows] == [0.0, 0.5]
    (note,) = [note for note in report.notes if "twice" in note]
    assert "in 1 window of feature 'points'" in note
    assert "(50% in 2 Mar 2026)" in note
    assert "delivered twice" in report.to_markdown()
    report = monitor.detect_drift(once, baseline, timestamp_column="ts", every="1d")
    assert not [note for note in report.notes if "twice" in note]


def test_a_placeholder_served_for_many_rows_is_reported(baseline):
    frame = table(200, 4)
    frame["vector"] = [
        frame["vector"][0] if i % 4 == 0 else v for i, v in enumerate(frame["vector"])
    ]
    (window,) = monitor.detect_drift(frame, baseline).windows
    assert window.most_repeated == pytest.approx(0.25)
    assert any("25% of the rows have one and the same vector" in note for note in window.notes)
    assert window.kinds == ("broken feed",)
    assert window.change.share == pytest.approx(0.25)
    assert {int(row.example.row) for row in window.changed} == set(range(0, 200, 4))


def test_a_placeholder_in_a_small_window_is_reported_and_a_usual_picture_is_not(baseline):
    frame = table(60, 4)
    frame["vector"] = [frame["vector"][0] if i < 6 else v for i, v in enumerate(frame["vector"])]
    (window,) = monitor.detect_drift(frame, baseline).windows
    assert window.kinds == ("broken feed",)
    train = table(1000, 0)
    train["vector"] = [frame["vector"][0] if i < 40 else v for i, v in enumerate(train["vector"])]
    (window,) = monitor.detect_drift(frame, monitor.fit_baseline(train, FEATURE)).windows
    assert window.kinds == ()


def test_segments_are_compared_with_their_own_baseline():
    train = table(1500, 0)
    # One country has always been different.
    train["vector"] = [
        v + (c == "it") for v, c in zip(train["vector"], train["country"], strict=True)
    ]
    prod = table(600, 1)
    prod["vector"] = [
        v + (c == "it") + 0.4 * (c == "fr")
        for v, c in zip(prod["vector"], prod["country"], strict=True)
    ]
    baseline = monitor.fit_baseline(train, FEATURE, segment_column="country")
    found = monitor.detect_drift(prod, baseline, segment_column="country").to_frame()
    assert found.segment.fillna("all").tolist() == ["all", "de", "fr", "it"]
    assert found.verdict.tolist() == ["drift", "no drift", "drift", "no drift"]


def test_a_segment_is_judged_by_its_own_variation():
    rng = np.random.default_rng(0)

    def mixed(n):
        wide = rng.random(n) < 0.15
        noise = rng.normal(size=(n, 16)) * np.where(wide, 1.2, 0.2)[:, None]
        return pd.DataFrame({"vector": list(np.eye(16)[0] * 4 + noise), "shop": wide.astype(str)})

    baseline = monitor.fit_baseline(mixed(3000), FEATURE, segment_column="shop")
    found = [
        monitor.detect_drift(mixed(800), baseline, segment_column="shop").to_frame()
        for _ in range(5)
    ]
    assert sum((frame.verdict == "drift").sum() for frame in found) <= 1


def test_segments_without_their_own_baseline_get_no_verdict(baseline):
    report = monitor.detect_drift(table(300, 1), baseline, segment_column="country")
    assert [str(w.judgement.verdict) for w in report.windows] == ["no drift"] + ["inconclusive"] * 3
    assert "was not fitted with segment_column='country'" in report.windows[1].judgement.reason
    own = monitor.fit_baseline(table(1000, 0), FEATURE, segment_column="country")
    new = table(300, 1).assign(country="es")
    (_, spain) = monitor.detect_drift(new, own, segment_column="country").windows
    assert spain.judgement.verdict == "inconclusive"
    assert "no rows of this segment" in spain.judgement.reason


def test_the_rate_that_is_promised_is_the_rate_that_holds(baseline):
    report = monitor.detect_drift(
        table(300, 1), baseline, timestamp_column="ts", every="1d", max_false_alarms_per_year=100
    )
    assert "p ≤ 0.025, and the last windows together" in report.notes[0]
    assert "allows 18.3 false alarms a year" in report.notes[0]


def test_a_key_is_no_segment_of_a_baseline():
    with pytest.raises(InvalidInputError, match="'id' has 300 different values"):
        monitor.fit_baseline(table(300, 1).assign(id=range(300)), FEATURE, segment_column="id")


def test_more_segments_than_a_report_shows_do_not_stop_the_others(monkeypatch):
    assert rows.MOST_SEGMENTS == 200
    monkeypatch.setattr(rows, "MOST_SEGMENTS", 20)
    shops = [f"shop {i % 30}" for i in range(900)]
    one = monitor.fit_baseline(table(900, 0).assign(shop=shops), FEATURE, segment_column="shop")
    assert len(one.segments) == 20
    report = monitor.detect_drift(table(900, 1).assign(shop=shops), one, segment_column="shop")
    judged = [window.segment for window in report.windows if window.segment is not None]
    assert set(judged) == set(one.segments)
    assert report.windows[0].n_rows == 900
    assert any("'shop' has 30 different values: 20 of them" in note for note in report.notes)


def test_a_list_in_a_segment_column_stops_nothing():
    shops = pd.Series(["a", "b"] * 150, dtype=object)
    one = monitor.fit_baseline(table(300, 0).assign(shop=shops), FEATURE, segment_column="shop")
    shops[7] = ["a", "b"]
    report = monitor.detect_drift(table(300, 1).assign(shop=shops), one, segment_column="shop")
    assert [window.segment for window in report.windows] == [None, "(not one value)", "a", "b"]
    assert "no rows of this segment" in report.windows[1].judgement.reason


@pytest.fixture(scope="module", params=["1d", "1h"])
def right(request, baseline):
    """A length, and the starts of the windows of that length of a quarter of a day's rows but the first."""
    report = monitor.detect_drift(
        table(300, 1, length=DAY / 4)[1:], baseline, timestamp_column="ts", every=request.param
    )
    return request.param, [window.start for window in report.windows]


@pytest.mark.parametrize(
    "wrong", ["1970-01-01", "2099-12-31", "1900-01-01", "9998-12-30", "0001-01-01"]
)
def test_a_row_with_a_wrong_date_is_told_and_in_no_window(baseline, right, wrong):
    every, starts = right
    frame = table(300, 1, length=DAY / 4)
    times = frame.ts.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    times[0] = f"{wrong}T00:00:00Z"
    report = monitor.detect_drift(
        frame.assign(ts=times), baseline, timestamp_column="ts", every=every
    )
    assert [w.start for w in report.windows] == starts
    assert sum(w.n_rows for w in report.windows) == 299
    assert any(f"1 row has a time far from all others, such as {wrong}" in n for n in report.notes)


def test_a_long_time_without_rows_is_told_not_filled(baseline):
    frame = pd.concat(
        [table(100, 1), table(100, 2).assign(ts=lambda f: f.ts - pd.Timedelta("9000D"))]
    )
    report = monitor.detect_drift(frame, baseline, timestamp_column="ts", every="1d")
    assert sum(window.n_rows for window in report.windows) == 200
    assert len(report.windows) < 100
    assert any("empty windows are left out" in note for note in report.notes)


def test_a_wrong_date_in_the_baseline_makes_no_window():
    frame = table(300, 0)
    frame.loc[0, "ts"] = pd.Timestamp("1970-01-01", tz=frame.ts.dt.tz)
    one = monitor.fit_baseline(frame, FEATURE, timestamp_column="ts")
    assert not one.time_range[0].startswith("1970")


def test_several_features_share_the_false_alarms():
    frame = table(400, 0)
    frame["other"] = frame["vector"]
    other = monitor.VectorFeature(name="other", column="other", n_clusters=2)
    both = [monitor.fit_baseline(frame, f) for f in (FEATURE, other)]
    report = monitor.detect_drift(table(100, 1).assign(other=lambda f: f.vector), both)
    assert report.to_frame().feature.tolist() == ["points", "other"]
    assert report.windows[0].judgement.alpha == pytest.approx(0.005)
    with pytest.raises(InvalidInputError, match="two baselines are of one feature"):
        monitor.detect_drift(frame, [both[0], both[0]])


def test_columns_of_numbers_are_monitored_too():
    rng = np.random.default_rng(0)
    feature = monitor.Multivariate(name="sizes", columns=["width", "height"], n_clusters=3)
    calm = pd.DataFrame({"width": rng.normal(1000, 50, 600), "height": rng.normal(1, 0.1, 600)})
    baseline = monitor.fit_baseline(calm, feature)
    # Both columns count, though one is a thousand times the other.
    assert monitor.detect_drift(calm.assign(height=calm.height + 0.1), baseline).has_drift
    quiet = pd.DataFrame({"width": rng.normal(1000, 50, 200), "height": rng.normal(1, 0.1, 200)})
    assert not monitor.detect_drift(quiet, baseline).has_drift


def test_given_centroids_of_columns_are_in_the_columns_units():
    rng = np.random.default_rng(0)
    at = rng.choice([0, 1], size=300)
    frame = pd.DataFrame(
        {"width": 1000 + 500 * at + rng.normal(size=300), "height": rng.normal(1, 0.1, 300)}
    )
    feature = monitor.Multivariate(
        name="sizes", columns=["width", "height"], n_clusters=2, centroids=[[1000, 1], [1500, 1]]
    )
    counts = monitor.fit_baseline(frame, feature).histogram.counts
    assert abs(counts[0] / counts.sum() - (at == 0).mean()) < 0.1


def test_components_are_refused_rather_than_ignored():
    feature = monitor.Multivariate(
        name="sizes", columns=["width", "height"], n_clusters=3, monitor_components=True
    )
    with pytest.raises(InvalidFeatureError, match="not built yet: leave it out"):
        monitor.fit_baseline(pd.DataFrame({"width": [1.0], "height": [2.0]}), feature)


def test_saved_and_loaded_baselines_judge_alike(baseline, tmp_path):
    loaded = monitor.Baseline.load(baseline.save(tmp_path / "b.safetensors"))
    frame = days(0, 0.3)
    first, second = (
        monitor.detect_drift(frame, b, timestamp_column="ts", every="1d").to_frame()
        for b in (baseline, loaded)
    )
    pd.testing.assert_frame_equal(first, second)
    assert loaded.examples == baseline.examples
    assert loaded.time_range == baseline.time_range


def test_vectors_of_another_encoder_are_refused():
    train, prod = table(100, 0), table(100, 1)
    train.attrs[FINGERPRINT_KEY] = {"vector": "a:1"}
    prod.attrs[FINGERPRINT_KEY] = {"vector": "b:2"}
    baseline = monitor.fit_baseline(train, FEATURE)
    assert baseline.fingerprint == "a:1"
    with pytest.raises(FingerprintMismatchError, match="embed these rows again"):
        monitor.detect_drift(prod, baseline)
    prod.attrs.clear()
    notes = monitor.detect_drift(prod, baseline).notes
    assert any("do not say which encoder made them" in note for note in notes)


def test_given_centroids_are_the_baselines():
    given = np.eye(16)[:3].tolist()
    feature = monitor.VectorFeature(name="points", column="vector", n_clusters=3, centroids=given)
    baseline = monitor.fit_baseline(table(100, 0), feature)
    np.testing.assert_array_equal(baseline.centroids, np.eye(16)[:3])


def test_n_clusters_none_is_chosen_and_explained():
    feature = monitor.VectorFeature(name="points", column="vector", n_clusters=None)
    baseline = monitor.fit_baseline(table(900, 0), feature)
    assert baseline.n_clusters == 4
    assert baseline.choice.startswith("4 clusters")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda b: monitor.fit_baseline(table(3, 0), FEATURE),
            BaselineError,
            "at least 8 are needed",
        ),
        (
            lambda b: monitor.fit_baseline(table(50, 0).assign(vector=None), FEATURE),
            BaselineError,
            "no row of the baseline has a vector for feature 'points' .50 missing.",
        ),
        (
            lambda b: monitor.fit_baseline(table(50, 0).drop(columns="vector"), FEATURE),
            MissingColumnError,
            "no column 'vector'",
        ),
        (
            lambda b: monitor.detect_drift(table(50, 0), b, every="1d"),
            TimestampError,
            "give timestamp_column too",
        ),
        (
            lambda b: monitor.detect_drift(table(50, 0), b, timestamp_column="time", every="1d"),
            MissingColumnError,
            "no column 'time'",
        ),
        (
            lambda b: monitor.detect_drift(
                table(50, 0), b, timestamp_column="ts", every="1 fortnight"
            ),
            TimestampError,
            "is not a length of time",
        ),
        (
            lambda b: monitor.detect_drift(table(50, 0), []),
            InvalidInputError,
            "no baseline was given",
        ),
        (
            lambda b: monitor.detect_drift(table(50, 0), b, alpha=1.5),
            InvalidInputError,
            "alpha=1.5",
        ),
        (
            lambda b: monitor.detect_drift(table(50, 0), b, max_false_alarms_per_year=0),
            InvalidInputError,
            "must be above 0",
        ),
        (
            lambda b: monitor.detect_drift(table(50, 0), "b.safetensors"),
            InvalidInputError,
            "expected a Baseline, got str: .* monitor.Baseline.load",
        ),
        (
            lambda b: monitor.fit_baseline(table(50, 0), "vector"),
            InvalidInputError,
            "expected a feature, got str",
        ),
        (
            lambda b: monitor.embed(table(5, 0), FEATURE),
            InvalidInputError,
            "embed needs an ImageEmbedding, got VectorFeature",
        ),
        (
            lambda b: monitor.fit_baseline(
                table(5, 0), monitor.Enrichment(name="e", enrichment="tox", columns=["country"])
            ),
            InvalidFeatureError,
            "has no vectors to monitor",
        ),
    ],
)
def test_errors_name_the_cure(baseline, call, error, message):
    with pytest.raises(error, match=message):
        call(baseline)
