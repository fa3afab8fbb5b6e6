"""The life of alerts, by hand and by properties."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts import AlertRule, AlertState, Event, Severity, evaluate
from monitor.errors import InvalidInputError
from tests.alerts.samples import DRIFTED, EMPTY, NOW, QUIET, UNKNOWN, day, days, window

DRIFT = AlertRule(name="drift")
FAILURES = AlertRule(name="failures", metric="failure_rate", warning=0.1, critical=0.5)


def play(rules, windows, *, at_once=False):
    """Windows one by one as a schedule does it; the alerts in the end, and what happened."""
    alerts, seen, told = {}, [], []
    for group in [windows] if at_once else [[one] for one in windows]:
        actions = evaluate(rules, group, alerts.values(), NOW, earlier=seen)
        for action in actions:
            alerts[action.alert.dedup_key] = action.alert
            told.append((action.event, action.alert.window_start))
        seen += group
    return list(alerts.values()), told


def story(kinds, **changes):
    """What was told on which day, a letter for each window."""
    rule = AlertRule(name="drift", **changes)
    alerts, told = {}, []
    windows = days(kinds)
    for at, one in enumerate(windows):
        for action in evaluate([rule], [one], alerts.values(), NOW, earlier=windows[:at]):
            alerts[action.alert.dedup_key] = action.alert
            if action.event.is_told:
                told.append((at, str(action.event)))
    return told


@pytest.mark.parametrize(
    ("kinds", "changes", "told"),
    [
        ("qqqq", {}, []),
        ("qdqq", {}, [(1, "opened"), (3, "resolved")]),
        ("ddddqq", {}, [(0, "opened"), (5, "resolved")]),
        # one calm window between is no end
        ("dqdqdqq", {}, [(0, "opened"), (6, "resolved")]),
        ("dqdq", {"resolve_after": 1}, [(0, "opened"), (1, "resolved"), (2, "opened"), (3, "resolved")]),
        # what is not known neither ends nor breaks a calm time
        ("d???", {}, [(0, "opened")]),
        ("dq?q", {}, [(0, "opened"), (3, "resolved")]),
        ("??", {}, []),
        ("d?qq", {}, [(0, "opened"), (3, "resolved")]),
        # a cool-down of a day ends where the second day begins
        ("dqdq", {"resolve_after": 1, "cool_down_hours": 24},
         [(0, "opened"), (1, "resolved"), (2, "opened"), (3, "resolved")]),
        # quiet for two days after an alert's last window
        ("dqdqdqdq", {"resolve_after": 1, "cool_down_hours": 48},
         [(0, "opened"), (1, "resolved"), (4, "opened"), (5, "resolved")]),
    ],
)  # fmt: skip
def test_life_of_an_alert(kinds, changes, told):
    assert story(kinds, **changes) == told


def test_an_alert_spans_its_windows():
    alerts, _ = play([DRIFT], days("qddqdqq"))
    (only,) = alerts
    assert (only.window_start, only.window_end) == (day(1), day(5))
    # By its windows, not by when they were judged.
    assert (only.state, only.resolved_at) == (AlertState.RESOLVED, day(7))


def test_a_warning_may_become_critical_once():
    windows = [window(QUIET, at, n_failed=n) for at, n in enumerate((0, 100, 400, 100, 400, 0, 0))]
    alerts, told = play([FAILURES], windows)
    assert [event for event, _ in told] == [
        Event.OPENED,
        Event.ESCALATED,
        Event.CONTINUED,
        Event.CONTINUED,
        Event.RESOLVED,
    ]
    assert alerts[0].severity is Severity.CRITICAL


def test_rules_features_and_segments_are_apart():
    windows = [
        window(DRIFTED, 0, segment="Berlin"),
        window(QUIET, 0),
        window(QUIET, 0, segment="Rome"),
        window(DRIFTED, 0, feature="other", n_failed=500),
    ]
    alerts, _ = play([DRIFT, FAILURES], windows, at_once=True)
    assert sorted((a.feature, a.rule, a.segment) for a in alerts if a.segment is None) == [
        ("other", "drift", None),
        ("other", "failures", None),
    ]
    assert [(a.feature, a.rule) for a in alerts if a.segment == "Berlin"] == [("photos", "drift")]
    assert len({a.dedup_key for a in alerts}) == len(alerts) == 3


@pytest.mark.parametrize(
    ("segments", "expected"), [("all", {"on", "none"}), ("none", set()), (("on",), {"on"})]
)
def test_which_segments(segments, expected):
    rule = AlertRule(name="drift", segments=segments)
    windows = [window(QUIET), window(DRIFTED, segment="on"), window(DRIFTED, segment="none")]
    assert {a.segment for a in play([rule], windows, at_once=True)[0]} == expected


def test_which_features():
    rule = AlertRule(name="drift", features=("other",))
    windows = [window(DRIFTED), window(DRIFTED, feature="other")]
    assert [a.feature for a in play([rule], windows, at_once=True)[0]] == ["other"]


def test_one_event_is_one_alert():
    segments = [window(DRIFTED, 0, segment=name) for name in ("b", "a")]
    (action,) = evaluate([DRIFT], [*segments, window(DRIFTED)], [], NOW)
    assert (action.alert.segment, action.segments) == (None, ("a", "b"))
    # Calm as a whole on the next day: then a segment speaks for itself.
    later = [window(QUIET, 1), window(DRIFTED, 1, segment="a")]
    (after,) = evaluate([DRIFT], later, [action.alert], NOW, earlier=segments)
    assert (after.event, after.alert.segment) == (Event.OPENED, "a")


def test_a_segment_that_is_worse_than_the_whole_speaks():
    windows = [window(QUIET, n_failed=100), window(QUIET, segment="a", n_failed=900)]
    actions = evaluate([FAILURES], windows, [], NOW)
    assert [(a.alert.segment, str(a.alert.severity)) for a in actions] == [
        (None, "warning"),
        ("a", "critical"),
    ]


def test_late_revisions_open_no_second_alert():
    windows = days("qddqqq")
    alerts, _ = play([DRIFT], windows)
    for kind in (DRIFTED, QUIET):
        again = [window(kind, 1), window(kind, 2)]
        assert evaluate([DRIFT], again, alerts, NOW, earlier=windows) == ()
    # A revision outside of it is an event of its own, of its own time.
    (action,) = evaluate([DRIFT], [window(DRIFTED, 4)], alerts, NOW, earlier=windows)
    assert (action.event, action.alert.window_start) == (Event.OPENED, day(4))


def test_a_revision_may_make_an_alert_worse():
    windows = [window(QUIET, at, n_failed=100) for at in range(3)]
    alerts, _ = play([FAILURES], windows)
    worse = [window(QUIET, 1, n_failed=900)]
    (action,) = evaluate([FAILURES], worse, alerts, NOW, earlier=windows)
    assert (action.event, action.alert.severity) == (Event.ESCALATED, Severity.CRITICAL)
    assert (action.alert.window_start, action.alert.window_end) == (day(0), day(3))
    assert evaluate([FAILURES], [window(QUIET, 1)], alerts, NOW, earlier=windows) == ()


def test_an_older_window_opens_nothing_beside_an_open_alert():
    (first,) = evaluate([DRIFT], [window(DRIFTED, 5)], [], NOW)
    assert evaluate([DRIFT], [window(DRIFTED, 3)], [first.alert], NOW) == ()


def test_a_rule_that_is_gone_ends_its_alerts():
    (opened,) = evaluate([DRIFT], [window(DRIFTED)], [], NOW)
    (action,) = evaluate([FAILURES], [window(QUIET, 1)], [opened.alert], NOW)
    assert (action.event, action.window, action.alert.is_open) == (Event.RESOLVED, None, False)


def test_a_rule_that_looks_elsewhere_ends_its_alerts():
    (opened,) = evaluate([DRIFT], [window(DRIFTED, segment="a")], [], NOW)
    whole = AlertRule(name="drift", segments="none")
    (action,) = evaluate([whole], [window(QUIET, 1)], [opened.alert], NOW)
    assert (action.event, action.rule, action.alert.segment) == (Event.RESOLVED, None, "a")


def test_a_segment_without_rows_does_not_alert_for_ever():
    windows = [window(DRIFTED, segment="a"), window(QUIET), *days("q" * 40)[1:]]
    alerts, told = play([DRIFT], windows)
    assert told == [(Event.OPENED, day(0)), (Event.RESOLVED, day(0))]
    assert not alerts[0].is_open
    # The 30th window without it, and not the one before.
    later = windows[2:]
    opened = evaluate([DRIFT], windows[:2], [], NOW)[0].alert
    for n, expected in ((29, []), (30, [Event.RESOLVED])):
        actions = evaluate([DRIFT], later[n - 1 : n], [opened], NOW, earlier=later[: n - 1])
        assert [action.event for action in actions] == expected
    # All rows, or a segment that only was quiet for a while, are not forgotten so.
    assert play([DRIFT], days("d" + "?" * 40))[0][0].is_open
    unknown = [window(UNKNOWN, at, segment="a") for at in range(20, 22)]
    assert play([DRIFT], [*windows[:22], *unknown, *windows[22:]])[0][0].is_open


def test_an_earlier_period():
    rule = AlertRule(name="week", metric="failure_rate", warning=0.2, days_before=7)
    weekly = [window(QUIET, at, n_failed=300 if at % 7 == 6 else 0) for at in range(14)]
    assert play([rule], weekly)[0] == []
    odd = [*weekly[:-1], window(QUIET, 13), window(QUIET, 14, n_failed=300)]
    assert [a.window_start for a in play([rule], odd)[0]] == [day(14)]


def test_windows_need_times():
    with pytest.raises(InvalidInputError, match="'photos' has no times"):
        evaluate([DRIFT], [replace(window(DRIFTED), start=None, end=None)], [], NOW)


def test_an_empty_window_is_a_broken_feed():
    feed = AlertRule(name="feed", metric="broken_feed", severity="critical")
    (action,) = evaluate([feed], [window(EMPTY)], [], NOW)
    assert (action.alert.severity, action.reading.value) == (Severity.CRITICAL, 1.0)


RULES = [
    DRIFT,
    AlertRule(name="careful", resolve_after=3, cool_down_hours=60),
    AlertRule(name="all", metric="broken_feed", resolve_after=1),
]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_replays_and_batches_change_nothing(data):
    kinds = data.draw(st.text("qd?0", min_size=1, max_size=14))
    windows = days(kinds)
    one_by_one = {a.dedup_key: a for a in play(RULES, windows)[0]}
    assert {a.dedup_key: a for a in play(RULES, windows, at_once=True)[0]} == one_by_one
    # Crashes: at any time the schedule goes back, and evaluates again what it had evaluated.
    alerts, opened, at = {}, [], 0
    crashes = data.draw(st.lists(st.integers(0, len(windows)), max_size=6))
    while at < len(windows):
        actions = evaluate(RULES, [windows[at]], alerts.values(), NOW, earlier=windows[: at + 1])
        opened += [a.alert.dedup_key for a in actions if a.event is Event.OPENED]
        alerts |= {a.alert.dedup_key: a.alert for a in actions}
        at += 1
        if crashes and crashes[-1] <= at:
            at = crashes.pop()
    assert alerts == one_by_one
    assert len(opened) == len(set(opened))


@settings(max_examples=60, deadline=None)
@given(st.text("qd", max_size=16), st.integers(1, 3))
def test_episodes_are_what_a_regular_expression_finds(kinds, resolve_after):
    import re

    # An episode: from a drifted day on, with fewer calm days in a row between drifted ones.
    pattern = re.compile(rf"d(?:q{{0,{resolve_after - 1}}}d)*")
    expected = [(day(m.start()), day(m.end())) for m in pattern.finditer(kinds)]
    rule = AlertRule(name="drift", resolve_after=resolve_after)
    alerts, _ = play([rule], days(kinds))
    assert [(a.window_start, a.window_end) for a in alerts] == expected


def test_order_of_the_windows_given_does_not_matter():
    windows = days("dqdd?qqdq")
    forward = evaluate(RULES, windows, [], NOW)
    assert [(a.event, a.alert) for a in evaluate(RULES, windows[::-1], [], NOW)] == [
        (a.event, a.alert) for a in forward
    ]


def test_hours_are_windows_too():
    rng = [
        replace(window(kind), start=day(0) + dt.timedelta(hours=at), end=day(0) + dt.timedelta(hours=at + 1))
        for at, kind in enumerate((QUIET, DRIFTED, UNKNOWN, QUIET, QUIET))
    ]  # fmt: skip
    (only,), told = play([DRIFT], rng)
    assert [event for event, _ in told] == [Event.OPENED, Event.RESOLVED]
    assert only.window_end - only.window_start == dt.timedelta(hours=1)
