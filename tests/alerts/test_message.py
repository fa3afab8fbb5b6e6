"""What people read, and what strangers cannot write into it."""

import datetime as dt
import re
from dataclasses import replace
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import markdown
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts import AlertRule, Message, compose, evaluate
from monitor.alerts.message import trial_message
from monitor.drift import Change, ChangedGroup, ShiftKind, Verdict
from tests.alerts.samples import DRIFTED, EMPTY, NOW, QUIET, UNKNOWN, day, days, window
from tests.reports import samples

DRIFT = AlertRule(name="drift")
FAILURES = AlertRule(name="failures", metric="failure_rate", warning=0.1)


def told(*windows, rule=DRIFT, **how) -> Message:
    """The message about the last action."""
    alerts, seen, action = {}, [], None
    for one in windows:
        for found in evaluate([rule], [one], alerts.values(), NOW, earlier=seen):
            alerts[found.alert.dedup_key], action = found.alert, found
        seen.append(one)
    return compose(action, **how)


def test_drift_in_words():
    found = window(DRIFTED).judgement
    message = told(window(DRIFTED, n_failed=100))
    lines = message.text.splitlines()
    assert message.title == "Warning: photos, drift, 1 Mar 2026"
    assert str(message.kind) == "warning"
    assert lines[0] == "Verdict: drift. The rule alerts on drift at the level alpha = 0.0027."
    jsd = found.scores["jsd"]
    assert lines[1] == "Looks like new mix."
    assert lines[2] == f"JSD {jsd.value:.3f}, where chance alone gives {jsd.noise_floor:.3f}."
    assert lines[3].startswith("Without drift 1 window in ")
    assert lines[3].endswith("; drift is said from 1 in 365 on).")
    before, after = found.baseline_histogram / 1_200, found.window_histogram / 300
    fell = f"0 fell from {before[0] * 100:.1f} % to {after[0] * 100:.1f} %"
    rose = f"2 rose from {before[2] * 100:.1f} % to {after[2] * 100:.1f} %"
    assert lines[4] == f"The clusters have other shares; most of all, cluster {fell} of the rows."
    assert lines[5] == f"Clusters that changed: {fell}; {rose}."
    assert lines[6] == "400 rows, 100 (25.0 %) without a vector: 100 http 404."


def test_kind_share_and_names_of_a_drift():
    n = int(window(DRIFTED).judgement.window_histogram.sum())
    found = replace(
        window(DRIFTED),
        kinds=(ShiftKind.NEW_CONTENT,),
        change=Change(ShiftKind.NEW_CONTENT, "", 28 / n, 0.05, 0.2),
        groups=(
            ChangedGroup(0.2, (), "receipts"),
            ChangedGroup(0.1, (), "page = <@all> [x](https://a.example/b)"),
        ),
    )
    message = told(found)
    line = message.text.splitlines()[1]
    assert line.startswith("Looks like new content: receipts, page = ‹＠all›")
    assert line.endswith(f", about 28 of {n} rows.")
    assert "https://" not in message.markdown
    assert r"\[x\](" in message.markdown


def test_odds_are_the_p_value():
    found = window(DRIFTED)
    judgement = replace(found.judgement, p_value=1 / 5_000)
    text = told(replace(found, judgement=judgement)).text
    assert (
        "Without drift 1 window in 5,000 looks this unusual (p = 2.0 × 10⁻⁴; drift is said " in text
    )


def test_what_decided_is_what_is_told():
    by_look = samples.detected_report().windows[-1]
    assert by_look.judgement.is_by_pooled_test
    lines = told(by_look).text.splitlines()
    assert "for the last 18 windows together" in lines[3]
    assert "Without drift at most 1 in " in lines[3]
    by_threshold = next(
        w for w in samples.threshold_report().windows if w.judgement.verdict is Verdict.DRIFT
    )
    lines = told(by_threshold).text.splitlines()
    assert lines[3].startswith("Your own thresholds decide: ")
    assert "is only for information" in lines[3]


def test_days_are_those_of_the_zone():
    """A day of Tokyo begins at 15:00 UTC of the day before."""
    tokyo = ZoneInfo("Asia/Tokyo")
    begins = [day(at) - dt.timedelta(hours=9) for at in range(2)]
    moved = replace(window(DRIFTED), start=begins[0], end=begins[1])
    assert told(moved, zone=tokyo).title == "Warning: photos, drift, 1 Mar 2026"


def test_other_metrics_say_their_values():
    lines = told(window(QUIET, n_failed=100), rule=FAILURES).text.splitlines()
    assert lines[0] == ("Verdict: no drift. The rule: failure rate 25.0 %; alerts at least 10.0 %.")
    week = AlertRule(name="week", metric="n_rows", warning=-50, days_before=7)
    fewer = told(window(QUIET, n_failed=90), window(QUIET, 7), rule=week).text
    assert "n rows has changed, in 7 days, by −90; alerts at most −50." in fewer
    score = AlertRule(name="s", metric="psi")
    assert "alerts above its noise ceiling, " in told(window(DRIFTED), rule=score).text
    feed = AlertRule(name="feed", metric="broken_feed")
    assert "broken feed 100.0 %; alerts at least 50.0 %" in told(window(EMPTY), rule=feed).text


def test_too_few_rows_say_so():
    few = AlertRule(name="few", metric="n_rows", critical=20)
    message = told(window(UNKNOWN), rule=few)
    assert message.title == "Critical: photos, few, 1 Mar 2026"
    assert "Verdict: inconclusive." in message.text
    assert "JSD" not in message.text


def test_the_end_of_an_alert():
    message = told(*days("ddqq"))
    assert message.title == "Resolved: photos, drift, 1–2 Mar 2026"
    assert message.text.startswith("Calm for 2 windows, the last of them 4 Mar 2026.")
    assert str(message.kind) == "resolved"


def test_an_alert_that_ends_without_a_window():
    odd = window(DRIFTED, segment="a")
    (opened,) = evaluate([DRIFT], [odd], [], NOW)
    (gone,) = evaluate([], [], [opened.alert], NOW)
    assert compose(gone).text == "No rule of the config looks at this any more, so the alert ends."
    (silent,) = evaluate([DRIFT], days("q" * 31)[1:], [opened.alert], NOW)
    assert compose(silent).text == "The segment had no rows for 30 windows, so the alert ends."
    assert compose(silent).title == "Resolved: photos, a, drift, 1 Mar 2026"


def test_it_got_worse():
    rule = AlertRule(name="failures", metric="failure_rate", warning=0.1, critical=0.5)
    message = told(window(QUIET, n_failed=100), window(QUIET, 1, n_failed=900), rule=rule)
    assert message.title == "Now critical: photos, failures, 1–2 Mar 2026"


def test_segments_beside_the_whole():
    windows = [window(DRIFTED), *(window(DRIFTED, segment=f"s{i}") for i in range(7))]
    (action,) = evaluate([DRIFT], windows, [], NOW)
    assert "break the rule, too: s0, s1, s2, s3, s4 and 2 more." in compose(action).text


def test_a_link():
    link = "https://ours.example/{feature}?segment={segment}&rule={rule}&from={start}&to={end}"
    odd = window(DRIFTED, feature="a/b", segment="x) [y](javascript:alert(1)) &\ud800")
    message = told(odd, link=link)
    address = message.text.splitlines()[-1]
    assert address == (
        "https://ours.example/a%2Fb?segment=x%29%20%5By%5D%28javascript%3Aalert%281%29%29%20%26%3F"
        "&rule=drift&from=2026-03-01T00%3A00%3A00%2B00%3A00&to=2026-03-02T00%3A00%3A00%2B00%3A00"
    )
    assert message.markdown.splitlines()[-1] == f"[Report]({address})"


def test_a_dictionary_and_back():
    message = told(window(DRIFTED))
    assert Message.from_dict(message.to_dict()) == message
    assert "test" in trial_message("a\x1bb").text
    assert trial_message("a\x1bb").title == "Test of the channel a b"


HOSTILE = [
    "<script>alert(1)</script>",
    "<!channel> <@U123> @everyone",
    "[click](https://evil.example/?token=SECRET)",
    "![x](https://evil.example/a.png)",
    "`code` **bold** _it_ # head",
    "https://me:SECRET@evil.example/p?q=SECRET",
    "data:text/html;base64,SECRET",
    "a\nb\r\n\x00\x1b[31m\u202egpj",
    "x" * 100_000,
    "javascript:alert(1)",
    "<https://evil.example|click>",
    "\\` [x](http://evil.example)",
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes += [name for name, _ in attrs]


def check_harmless(message: Message) -> None:
    for text in (message.title, message.text, message.markdown):
        assert "SECRET" not in text
        assert "://" not in text
        assert not re.search(r"[<>]\S|@", text)
        assert all(c.isprintable() or c == "\n" for c in text)
        assert len(text) < 3_000
    tags = Tags()
    tags.feed(markdown.markdown(message.markdown))
    assert tags.seen <= {"p", "strong", "ul", "li", "code"}
    assert tags.attributes == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_strangers_write_no_markup(hostile):
    rule = AlertRule(name=hostile[:100], metric="verdict")
    windows = [
        window(DRIFTED, segment=hostile, feature=hostile),
        replace(window(DRIFTED, feature=hostile), notes=(hostile,)),
    ]
    check_harmless(told(windows[0], rule=rule))
    check_harmless(told(*windows, rule=rule))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text("`<>[]()*_\\!@#:/ a", max_size=30))
def test_no_text_at_all_writes_markup(text):
    tags = Tags()
    tags.feed(markdown.markdown(told(window(DRIFTED, segment=text)).markdown))
    assert tags.seen <= {"p", "strong", "ul", "li", "code"}


def test_words_are_short():
    assert trial_message("x" * 1_000_000).title == f"Test of the channel {'x' * 79}…"
