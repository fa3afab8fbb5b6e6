"""A shift in plain words, and what to do about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.clusters import Example
from monitor.commands import config_named
from monitor.drift import Change, ChangedGroup, ShiftKind
from monitor.reports import DriftReport, WindowDrift
from monitor.reports.answer import answer, headline_of_window
from monitor.reports.next_steps import next_steps
from monitor.reports.shifts import report_shifts, shifts

from .samples import FIRST_DAY, detected_report, explained_report, failed_report, mixed_report

DAY = dt.timedelta(days=1)


def changed(kind: ShiftKind, share: float = 0.5, cause: str = "", name: str = "") -> WindowDrift:
    window = mixed_report().windows[4]  # 5 March
    group = (ChangedGroup(share, (Example("1", None, 0.1),), name),)
    is_lost = kind is ShiftKind.CONTENT_LOST
    return replace(
        window,
        kinds=(kind,),
        change=Change(kind, cause, share, share - 0.1, min(share + 0.1, 1.0)),
        groups=() if is_lost else group,
        vanished=group if is_lost else (),
    )


@pytest.mark.parametrize(
    ("window", "told"),
    [
        (
            changed(ShiftKind.NEW_CONTENT, name="fruit"),
            "Half of 5 Mar's images are unlike your baseline: fruit",
        ),
        (changed(ShiftKind.NEW_CONTENT, 0.15), "15 % of 5 Mar's images are unlike your baseline"),
        (changed(ShiftKind.TECHNICAL, 1.0, "darker"), "All of 5 Mar's images are darker"),
        (
            changed(ShiftKind.TECHNICAL, 0.33, "red and blue swapped"),
            "A third of 5 Mar's images have red and blue swapped",
        ),
        (
            changed(ShiftKind.TECHNICAL, 0.33, "red and blue swapped or inverted"),
            "A third of 5 Mar's images have red and blue swapped or are inverted",
        ),
        (
            changed(ShiftKind.TECHNICAL, 1.0, "cropped or squashed"),
            "All of 5 Mar's images are cropped or squashed",
        ),
        (
            changed(ShiftKind.TECHNICAL, 0.9, "sharpness fell"),
            "Sharpness fell in nearly all of 5 Mar's images",
        ),
        (
            changed(ShiftKind.CONTENT_LOST, 0.25, name="shoes"),
            "A quarter of your baseline is missing from 5 Mar's images: shoes",
        ),
        (changed(ShiftKind.NEW_MIX), "5 Mar's images are what you know, in another mix"),
        (
            changed(ShiftKind.NEW_LOOK, 0.76),
            "Three quarters of 5 Mar's images look different from your baseline",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_has_its_headline(window: WindowDrift, told: str) -> None:
    assert headline_of_window(window).startswith(told)


def test_other_spans_and_segments() -> None:
    window = changed(ShiftKind.NEW_CONTENT)
    week = replace(window, end=FIRST_DAY + dt.timedelta(days=11))

    def told(other: WindowDrift) -> str:
        return headline_of_window(other, noun="row")

    assert told(week).startswith("Half of the rows of 5–11 Mar 2026 are")
    assert told(replace(window, start=None, end=None)).startswith("Half of the rows are")
    assert told(replace(window, segment="Bonn")).startswith("Half of Bonn's rows of 5 Mar 2026 are")


def test_a_broken_feed_is_told_without_drift() -> None:
    silent = mixed_report().windows[3]
    broken = replace(silent, kinds=(ShiftKind.BROKEN_FEED,))

    assert headline_of_window(broken) == "All of 4 Mar's rows have no image"
    empty = replace(broken, failures={})
    assert headline_of_window(empty) == "Nothing arrived for 4 Mar 2026"
    (step,) = next_steps(empty)
    assert step.text == "Tell the owner of photos's images: no row arrived for 4 Mar 2026."
    fetched = next_steps(broken)[1]
    assert fetched.command == "monitor embed --retry-failed && monitor drift"


def test_what_is_wrong_with_vectors_is_not_told_of_images() -> None:
    silent = mixed_report().windows[3]
    broken = replace(silent, kinds=(ShiftKind.BROKEN_FEED,))

    assert headline_of_window(broken, noun="row") == "All of 4 Mar's rows have no vector"
    tell, again = next_steps(broken, noun="row")
    assert tell.text.startswith("Tell whoever makes the vectors of photos: ")
    assert again.command == "monitor drift"
    narrow = replace(broken, failures={"wrong_dimension": broken.n_failed})
    assert headline_of_window(narrow) == "All of 4 Mar's rows have no usable vector"
    assert (
        "came with no usable vector, most often because of wrong_dimension"
        in next_steps(narrow)[0].text
    )


@pytest.mark.parametrize("kind", [kind for kind in ShiftKind if kind != ShiftKind.BROKEN_FEED])
def test_every_kind_has_steps_that_end_with_the_baseline(kind: ShiftKind) -> None:
    steps = next_steps(changed(kind, 0.5, "cropped"))

    assert 2 <= len(steps) <= 3
    command = "monitor baseline accept --from 2026-03-05 --to 2026-03-06"
    assert steps[-1].command.startswith(command)
    assert steps[-1].command.endswith("--feature photos")


def test_commands_name_a_config_that_is_elsewhere() -> None:
    with config_named("my shop/photos.yaml"):
        steps = next_steps(changed(ShiftKind.TECHNICAL, 0.5, "cropped"))
    commands = [step.command for step in steps if step.command]
    assert len(commands) == 2
    assert all(command.endswith("--config 'my shop/photos.yaml'") for command in commands)
    plain = next_steps(changed(ShiftKind.TECHNICAL, 0.5, "cropped"))
    assert not any("--config" in step.command for step in plain)


def test_a_calm_window_asks_for_nothing() -> None:
    assert next_steps(mixed_report().windows[0]) == ()
    assert shifts(failed_report().windows) == ()


def test_a_cause_that_is_not_told_apart_every_day_is_one_shift() -> None:
    causes = ("cropped", "squashed or cropped", "darker")
    days = [
        replace(changed(ShiftKind.TECHNICAL, 1.0, cause), began=None, start=start, end=start + DAY)
        for cause, start in zip(causes, (FIRST_DAY + n * DAY for n in range(3)), strict=True)
    ]
    assert {shift.windows for shift in shifts(days)} == {tuple(days[:2]), (days[2],)}


def test_neighbours_of_one_kind_are_one_shift() -> None:
    calm, window = mixed_report().windows[0], changed(ShiftKind.NEW_CONTENT)
    days = [calm, window, changed(ShiftKind.NEW_CONTENT, 0.7), changed(ShiftKind.NEW_MIX), calm]
    dated = [
        replace(
            day,
            start=FIRST_DAY + dt.timedelta(days=i),
            end=FIRST_DAY + dt.timedelta(days=i + 1),
            began=None,
        )
        for i, day in enumerate(days)
    ]
    told = {shift.windows: shift for shift in shifts(dated)}

    assert set(told) == {(dated[1], dated[2]), (dated[3],)}
    shift = told[dated[1], dated[2]]
    assert shift.lead is dated[2]
    words = answer(shift)
    assert words.headline.startswith("70 % of 3 Mar's images are unlike")
    assert words.how_much == "About 70 % of the images (between 60 % and 80 %)."
    assert words.since == "2–3 Mar 2026. The 2 windows since then show it no more."
    assert "--from 2026-03-02 --to 2026-03-04" in words.steps[-1].command


def test_what_goes_on_comes_first() -> None:
    (first, feature), *others = report_shifts(detected_report())

    assert feature.name == "points"
    assert first.n_after == 0
    assert all(shift.n_after > 0 for shift, _ in others)
    assert answer(first).since == "Since 1 Apr 2026, and still so in the newest window."
    assert report_shifts(DriftReport((), ())) == ()


def test_a_broken_feed_says_how_many_rows() -> None:
    (broken, _), *_ = report_shifts(explained_report())

    told = answer(broken)
    assert told.how_much == "80 rows of 380 have no image."
    assert told.why == (
        "Rows without a vector because of http_404 rose from 0 % to 21.1 % of all rows.",
    )
