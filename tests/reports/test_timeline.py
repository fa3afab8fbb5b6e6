"""The chart's coordinates."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from monitor.drift import Verdict
from monitor.reports import DriftReport
from monitor.reports.timeline import LEFT, PLOT_HEIGHT, PLOT_TOP, STRIP_HEIGHT, has_chart, timeline

from .samples import (
    detected_report,
    failed_report,
    long_report,
    mixed_report,
    quiet_report,
    threshold_report,
)

FOOT = PLOT_TOP + PLOT_HEIGHT


def test_marks_lie_where_chance_puts_them(report: DriftReport) -> None:
    chart = timeline(report.windows, 1000)

    foot, (one_in_100, text) = chart.y_ticks[0], chart.y_ticks[1]
    assert foot == (FOOT, "always")
    assert text == "1 in 10,000"
    unit = (FOOT - one_in_100) / 4
    for mark, window in zip(chart.marks, report.windows, strict=True):
        assert mark.verdict is window.judgement.verdict
        if window.judgement.verdict is not Verdict.INCONCLUSIVE:
            rarity = min(-math.log10(window.judgement.p_value), 12)
            assert (FOOT - mark.y) / unit == pytest.approx(rarity, abs=0.01)
    assert (FOOT - chart.limit) / unit == pytest.approx(math.log10(365), abs=0.01)
    assert [mark.x for mark in chart.marks] == sorted(mark.x for mark in chart.marks)


@pytest.mark.parametrize("build", [mixed_report, detected_report, threshold_report])
def test_what_drifts_lies_beyond_the_limit_and_nothing_else(
    build: Callable[[], DriftReport],
) -> None:
    windows = build().windows
    chart = timeline(windows, 1000)

    for mark, window in zip(chart.marks, windows, strict=True):
        assert (mark.y <= chart.limit) == (window.judgement.verdict is Verdict.DRIFT)


def test_windows_that_drift_only_with_others_are_told_apart() -> None:
    report = detected_report()
    chart = timeline(report.windows, 1000)

    drifted = [mark for mark in chart.marks if mark.verdict is Verdict.DRIFT]
    assert [mark.is_together for mark in drifted] == [False, *[True] * (len(drifted) - 1)]
    assert "the last 18 windows together: p = " in drifted[-1].tooltip
    assert "began 1 Apr 2026" in drifted[-1].tooltip


def test_a_shift_is_drawn_from_its_beginning() -> None:
    report = detected_report()
    chart = timeline(report.windows, 1000)

    odd_day, lasting = chart.spans
    assert odd_day.start < chart.marks[7].x < odd_day.end < chart.marks[8].x
    assert chart.marks[30].x < lasting.start < chart.marks[31].x  # 1 April
    assert lasting.end > chart.marks[-1].x
    assert lasting.tooltip == "shift since 1 Apr 2026"


def test_a_shift_from_before_the_first_window_starts_at_the_edge() -> None:
    (span,) = timeline(detected_report().last(5).windows, 1000).spans

    assert span.start == pytest.approx(LEFT, abs=2.5)
    assert span.tooltip == "shift since 1 Apr 2026"


def test_neighbours_that_each_drift_by_themselves_have_one_bracket() -> None:
    windows = list(quiet_report(10).windows)
    for day in (4, 5, 8):
        judgement = replace(windows[day].judgement, verdict=Verdict.DRIFT)
        windows[day] = replace(windows[day], judgement=judgement, began=windows[day].start)
    chart = timeline(windows, 1000)

    both, alone = chart.spans
    assert both.start < chart.marks[4].x < chart.marks[5].x < both.end
    assert both.end < alone.start < chart.marks[8].x < alone.end


def test_inconclusive_windows_break_the_line(report: DriftReport) -> None:
    chart = timeline(report.windows, 1000)

    assert chart.line.count("M") == 2
    assert [chart.marks[i].y for i in (2, 3)] == [FOOT, FOOT]


def test_bars_share_one_scale(report: DriftReport) -> None:
    chart = timeline(report.windows, 1000)

    heights = {
        name: [float(number) for number in re.findall(r"v([\d.]+)", path)]
        for name, path in (("rows", chart.rows), ("failed", chart.failed))
    }
    assert chart.most_rows == "304"
    full = STRIP_HEIGHT / 304
    assert heights["rows"] == pytest.approx([n * full for n in (300, 300, 12, 300, 300)], abs=0.01)
    assert heights["failed"] == pytest.approx([n * full for n in (4, 288, 300)], abs=0.01)


def test_many_windows_are_marked_where_they_drifted() -> None:
    report = long_report(365)
    chart = timeline(report.windows, 1000)

    marked = [mark.verdict for mark in chart.marks if mark.verdict]
    assert set(marked) == {Verdict.DRIFT}
    assert chart.x_ticks[0][1] == "Apr 2026"
    assert "Jan 2027" in [text for _, text in chart.x_ticks]


@pytest.mark.parametrize("width", [400, 760, 1000])
@pytest.mark.parametrize("n_windows", [2, 12, 40, 100])
def test_labels_do_not_collide(width: int, n_windows: int) -> None:
    ticks = timeline(long_report(n_windows).windows, width).x_ticks

    assert ticks
    for (x, text), (next_x, next_text) in pairwise(ticks):
        assert x + 3.5 * len(text) < next_x - 3.5 * len(next_text)


def test_a_tooltip_holds_the_figures(report: DriftReport) -> None:
    told = timeline(report.windows, 1000).marks[4].tooltip

    assert re.match(r"5 Mar 2026: drift, new mix\np = 1\.\d × 10⁻⁹\nJSD 0\.", told)
    assert "300 rows, 0 failed" in told


def test_no_chart_without_two_windows_and_a_verdict(report: DriftReport) -> None:
    assert has_chart(report.windows)
    assert not has_chart(quiet_report(1).windows)
    assert not has_chart(failed_report().windows)
