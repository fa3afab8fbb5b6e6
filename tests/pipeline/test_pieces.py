"""A window in pieces is judged as it is whole, in memory that does not grow with its rows."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import monitor
from monitor import frames
from monitor.clusters.content import content_keys, largest_share
from monitor.clusters.copies import CopyCounts
from monitor.errors import InvalidInputError, MissingColumnError, TimestampError
from monitor.images.quality import QUALITY_FIELDS
from monitor.pipeline import gathered as gathered_module
from monitor.pipeline import judged
from monitor.pipeline import rows as rows_module
from monitor.pipeline.judged import judge_frame, judge_pieces
from monitor.rules import RunRules
from monitor.windows import Every, Window

WIDTH = 8
START = pd.Timestamp("2026-03-02", tz="UTC")
DAY = Window(START.to_pydatetime(), (START + pd.Timedelta("1D")).to_pydatetime())
CENTRES = np.random.default_rng(3).normal(size=(4, WIDTH)) * 3
PHOTOS = monitor.ImageEmbedding(
    name="photos", source_column="url", column="vector", model="compact", n_clusters=4
)
RULES = RunRules(every=Every.parse("1d"), segment_column="country", minimum_rows=10)


def table(n, seed, *, start=START, days=1, moved=0):
    """Rows with failures, copies and metadata; the last `moved` are novel, and of a new country."""
    rng = np.random.default_rng(seed)
    vectors = CENTRES[rng.integers(4, size=n)] + rng.normal(size=(n, WIDTH))
    vectors[n - moved :] += 9
    vectors[5:9] = vectors[5]
    cells = list(vectors.astype(np.float32))
    reasons = [None] * n
    for i, reason in enumerate(["timeout", "http_404", "http_404", "timeout", "not_an_image"]):
        cells[11 * i + 3], reasons[11 * i + 3] = None, reason
    country = rng.choice(["FR", "DE", "IT"], n).astype(object)
    country[n - moved :] = "JP"
    return pd.DataFrame(
        {
            "vector": cells,
            "vector_failure": reasons,
            "vector_quality": list(rng.normal(0.5, 0.1, (n, len(QUALITY_FIELDS))).astype("f4")),
            "ts": start + pd.to_timedelta(np.sort(rng.uniform(0, days, n)), unit="D"),
            "url": [f"https://shop.test/{seed}/{i}.jpg" for i in range(n)],
            "country": country,
            "camera": rng.choice(["a", "b"], n),
        }
    )


@pytest.fixture(scope="module")
def baseline():
    return monitor.fit_baseline(
        table(1_200, 1, start=START - pd.Timedelta("20D"), days=12),
        PHOTOS,
        timestamp_column="ts",
        every="1d",
        segment_column="country",
        explain_columns=["camera", "country"],
        context=["hour"],
        learn_changes=False,
        vocabulary=(),
    )


@pytest.fixture(scope="module", params=[0, 60], ids=["calm", "moved"])
def window(request):
    return frames.as_arrow(table(400, 2, moved=request.param))


def whole(window, baseline, rules=RULES):
    return judge_frame(window, baseline, rules, timestamp_column="ts", window=DAY)


@pytest.fixture(scope="module")
def expected(window, baseline):
    """What the window is judged to be as a whole."""
    return whole(window, baseline)


def cut(window, size):
    return [window.slice(start, size) for start in range(0, len(window), size)]


def in_pieces(tables, baseline, rules=RULES):
    return judge_pieces(iter(tables), baseline, rules, timestamp_column="ts", window=DAY)


@pytest.mark.parametrize("size", [17, 400])
def test_the_report_is_the_same_to_the_last_digit(window, baseline, expected, size):
    of_pieces = in_pieces(cut(window, size), baseline)
    assert of_pieces.report.to_json() == expected.report.to_json()
    (sketch,), (of_whole,) = of_pieces.sketches["photos"], expected.sketches["photos"]
    assert np.array_equal(sketch.cluster_units, of_whole.cluster_units)
    assert np.array_equal(sketch.kernel_units, of_whole.kernel_units)


def test_of_a_large_window_only_the_changed_rows_are_read_off_a_sample(
    window, baseline, expected, monkeypatch
):
    expected = expected.report
    monkeypatch.setattr(gathered_module, "MOST_SHOWN", 150)
    reports = [in_pieces(cut(window, size), baseline).report for size in (23, 400)]
    assert len({report.to_json() for report in reports}) == 1
    assert reports[0].notes == expected.notes
    is_moved = expected.has_drift
    for entry, of_whole in zip(reports[0].windows, expected.windows, strict=True):
        assert (entry.segment, entry.n_rows) == (of_whole.segment, of_whole.n_rows)
        assert entry.judgement.tests == of_whole.judgement.tests
        assert entry.judgement.verdict == of_whole.judgement.verdict
        for name in ("failures", "novel_examples", "most_repeated", "quality", "explanations"):
            assert getattr(entry, name) == getattr(of_whole, name)
        if entry.change is None:
            assert entry.examples == of_whole.examples
    entry = reports[0].windows[0]
    assert any("150 of the 395 rows" in note for note in entry.notes) == is_moved
    if is_moved:
        new = {row.example.row for row in entry.changed}
        assert new
        assert sum(int(row) >= 340 for row in new) >= 0.9 * len(new)
        # Three standard errors of a share of 150 rows.
        assert entry.change.share == pytest.approx(expected.windows[0].change.share, abs=0.09)


def test_pieces_may_lack_columns_that_others_have(baseline):
    window = frames.as_arrow(table(400, 2))
    first, second = window.slice(0, 200), window.slice(200)
    poor = second.drop_columns(["camera", "vector_quality", "vector_failure"])
    for tables in ([poor, first], [poor, poor.slice(0, 0)]):
        expected = whole(frames.join(tables), baseline).report
        assert in_pieces(tables, baseline).report.to_json() == expected.to_json()
    with pytest.raises(MissingColumnError, match="vector"):
        in_pieces([poor.drop_columns(["vector"])], baseline)


def test_very_many_segments_are_counted_but_not_all_of_them_judged(baseline, monkeypatch):
    for module in (gathered_module, rows_module):
        monkeypatch.setattr(module, "MOST_SEGMENTS", 6)
    window = frames.as_arrow(table(60, 4))
    at = window.column_names.index("country")
    names = pa.array([f"c{i // 3:02}" for i in range(60)])
    report = in_pieces(cut(window.set_column(at, "country", names), 20), baseline).report
    segments = [entry.segment for entry in report.windows if entry.segment is not None]
    assert segments == [f"c{i:02}" for i in range(6)]
    assert any("has 20 different values: 6 of them" in note for note in report.notes)


@pytest.fixture(scope="module")
def days():
    """Four days of rows, the last moved, an empty one between, rows without a time, and a wrong clock."""
    parts = [
        table(90, 20 + day, start=START + pd.Timedelta(days=day), moved=60 * (day == 4))
        for day in (0, 1, 3, 4)
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows.loc[7, "ts"] = pd.Timestamp("2001-01-01", tz="UTC")
    rows.loc[[8, 200], "ts"] = pd.NaT
    return frames.as_arrow(rows)


def test_many_windows_come_in_pieces_of_one_iterator(days, baseline, monkeypatch):
    options = {"timestamp_column": "ts", "every": "1d", "minimum_rows": 10}
    expected = monitor.detect_drift(days, baseline, **options)
    assert [len(expected.windows), expected.windows[2].n_rows] == [5, 0]
    assert expected.windows[-1].judgement.verdict == "drift"
    whole = monitor.detect_drift(iter(cut(days, 50)), baseline, **options)
    assert whole.to_json() == expected.to_json()
    monkeypatch.setattr(judged, "MOST_HELD", 100)
    monkeypatch.setattr(judged, "judge_frame", None)
    batches = (batch for piece in cut(days, 37) for batch in piece.to_batches())
    assert monitor.detect_drift(batches, baseline, **options).to_json() == expected.to_json()
    # Of rows that are too many for all windows together, fewer of each are looked at.
    monkeypatch.setattr(gathered_module, "MOST_HELD", 100)
    monkeypatch.setattr(gathered_module, "LEAST_SHOWN", 40)
    few = [monitor.detect_drift(iter(cut(days, size)), baseline, **options) for size in (37, 400)]
    assert few[0].to_json() == few[1].to_json()
    for entry, of_whole in zip(few[0].windows, expected.windows, strict=True):
        assert entry.judgement.tests == of_whole.judgement.tests
        assert entry.n_rows == of_whole.n_rows
    assert any("40 of the 85 rows" in note for note in few[0].windows[-1].notes)
    assert few[0].windows[-1].changed


def test_rows_without_times_or_any_time_come_in_pieces_too(days, baseline, monkeypatch):
    undated = days.set_column(days.column_names.index("ts"), "ts", pa.nulls(len(days)))
    plain = monitor.fit_baseline(table(300, 1), PHOTOS, learn_changes=False, vocabulary=())
    whole = [
        monitor.detect_drift(days, plain),
        monitor.detect_drift(days, plain, timestamp_column="ts"),
        monitor.detect_drift(undated, plain, timestamp_column="ts", every="1d"),
    ]
    monkeypatch.setattr(judged, "MOST_HELD", 100)
    pieces = [
        monitor.detect_drift(iter(cut(days, 99)), plain),
        monitor.detect_drift(iter(cut(days, 99)), plain, timestamp_column="ts"),
        monitor.detect_drift(iter(cut(undated, 99)), plain, timestamp_column="ts", every="1d"),
    ]
    assert [report.to_json() for report in pieces] == [report.to_json() for report in whole]
    with pytest.raises(InvalidInputError, match="the iterator gave no frame"):
        monitor.detect_drift(iter([]), plain)
    with pytest.raises(TimestampError, match="give timestamp_column too"):
        monitor.detect_drift(iter(cut(days, 99)), plain, every="1d")


def test_copies_are_counted_in_bounded_memory():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3_000, 4)).astype(np.float32)
    vectors[rng.permutation(3_000)[:600]] = 1
    keys = content_keys(vectors)
    exact, bounded = CopyCounts(), CopyCounts(most=64)
    for start in range(0, 3_000, 41):
        exact.add(keys[start : start + 41])
        bounded.add(keys[start : start + 41])
    assert exact.largest_share == largest_share(keys) == 0.2
    assert exact.repeated_share == pytest.approx(599 / 3_000)
    assert math.isnan(bounded.repeated_share)
    assert 0.2 - 2 / 64 <= bounded.largest_share <= 0.2
    alone = CopyCounts(most=64)
    alone.add(np.arange(1_000, dtype=np.uint64))
    assert alone.largest_share == 0.0


PEAK = """
import json
import numpy as np, pyarrow as pa
import monitor
from monitor.pipeline.judged import judge_pieces
from monitor.rules import RunRules

WIDTH, PIECE = 128, 5_000
points = monitor.VectorFeature(name="points", column="v", n_clusters=4)
rng = np.random.default_rng(0)

def piece(i):
    vectors = np.random.default_rng(i).normal(size=(PIECE, WIDTH)).astype(np.float32)
    return pa.table({"v": pa.FixedSizeListArray.from_arrays(vectors.ravel(), WIDTH)})

def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024

def judge(n):
    pieces = (piece(i) for i in range(n // PIECE))
    report = judge_pieces(pieces, baseline, RunRules(), timestamp_column=None).report
    assert report.windows[0].n_rows == n
    return peak()

baseline = monitor.fit_baseline(piece(99).slice(0, 500), points, learn_changes=False)
print(json.dumps([judge(25_000), judge(125_000)]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells the peak")
def test_memory_does_not_grow_with_the_rows():
    run = subprocess.run(
        [sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stderr
    few, many = json.loads(run.stdout)
    # Rows that were held would add 51 MB, and as much for each copy of them.
    assert many - few < 25, (few, many)
