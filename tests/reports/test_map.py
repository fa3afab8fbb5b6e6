"""A window's map: where its points lie, and how they are packed."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from monitor.reports import DriftReport
from monitor.reports.gallery import Pictures
from monitor.reports.map_view import map_view
from monitor.reports.window_map import STEPS, UNCHANGED


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def test_new_rows_lie_together_and_are_named(pictured: DriftReport) -> None:
    plane = pictured.windows[-1].map
    assert plane is not None

    after = plane.after
    assert len(plane.before) == 400
    assert len(after) == 100
    assert {int(v) for v in np.concatenate([after.x, after.y]) if not 0 <= v <= STEPS} == set()
    assert np.count_nonzero(after.group != UNCHANGED) >= 25
    assert 0 < plane.explained < 1
    changed = {row.example.row for row in pictured.windows[-1].changed}
    assert changed <= set(after.rows)
    assert all(after.group[after.rows[row]] != UNCHANGED for row in changed)
    assert [window.map for window in pictured.windows[:-1]] == [None] * 4


def test_it_survives_json(pictured: DriftReport, tmp_path: Path) -> None:
    pictured.to_json(tmp_path / "report.json")
    again = DriftReport.from_json(tmp_path / "report.json").windows[-1].map
    before = pictured.windows[-1].map

    assert again is not None
    assert before is not None
    assert again.after.rows == before.after.rows
    np.testing.assert_array_equal(again.after.x, before.after.x)


def test_points_are_packed_as_they_are(pictured: DriftReport) -> None:
    window = pictured.windows[-1]
    view = map_view(window, Pictures({}), 5_000)
    assert view is not None
    assert window.map is not None

    xy = unpacked(view.after.xy, "<u2").reshape(-1, 2)
    np.testing.assert_array_equal(xy[:, 0], window.map.after.x)
    np.testing.assert_array_equal(unpacked(view.after.group, "u1"), window.map.after.group + 1)
    side, point, number, label = json.loads(view.pictures)[-1]
    assert (side, number) == (1, -1)
    assert window.map.after.rows[label.removeprefix("row ")] == point
    dots = sum(len(re.findall(r"M\d+ \d+h0", path)) for _, path in view.static)
    assert dots == 500


def test_a_crowd_is_thinned_but_for_what_changed(pictured: DriftReport) -> None:
    window = pictured.windows[-1]
    assert window.map is not None
    n_changed = int(np.count_nonzero(window.map.after.group != UNCHANGED))
    view = map_view(window, Pictures({}), 60)
    assert view is not None

    assert (view.before.n, view.after.n) == (60, 60)
    assert np.count_nonzero(unpacked(view.after.group, "u1")) == n_changed
    assert map_view(replace(window, map=None), Pictures({}), 60) is None


def test_without_scripts_there_is_a_drawing(full_page: Path) -> None:
    text = full_page.read_text(encoding="utf-8")

    (drawing,) = re.findall(r"<noscript>(.*?)</noscript>", text, re.DOTALL)
    assert drawing.count("<path") >= 3
    assert "<script" not in drawing
    assert len(text) < 1_500_000
