"""The page: what it says, how large it is, and that no text from the data acts."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.clusters import Example
from monitor.drift import Verdict
from monitor.drift.significance import combine
from monitor.errors import ReportError
from monitor.images import SourcePolicy
from monitor.images.remembered import remember_policy
from monitor.reports import DriftReport
from monitor.reports.html import notebook_html, write_html
from monitor.reports.wording import plain
from tests.steps import steps

from .conftest import PictureServer, picture
from .parsed import Parsed
from .samples import (
    FIRST_DAY,
    detected_report,
    explained_report,
    failed_report,
    joined,
    long_report,
    mixed_report,
    quiet_report,
    segmented_report,
    threshold_report,
    with_sources,
)

ACTIVE = {
    "iframe", "frame", "object", "embed", "form", "base", "audio", "video", "img", "image",
    "foreignobject", "animate", "set",
}  # fmt: skip
HOSTILE = [
    "</style></title></script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}<svg onload=alert(1)>",
    "invoice\u202egpj.exe\u2066\x00\x1b[31m\ud83d",
    'https://example.com/a.jpg?token=s3cr3t" onmouseover="alert(1)',
    "x" * 5_000,
]


def rendered(report: DriftReport, path: Path) -> Parsed:
    assert write_html(report, path, thumbnails=False) == path
    return Parsed.read(path)


def assert_inert(page: Parsed) -> None:
    """No element that acts, and no address but web links, places in the page and inline data.

    The one script is the page's own; see `test_nothing_is_loaded_and_only_its_own_script_runs`.
    """
    assert page.named("script") in ([], [{}])
    assert {a.get("type") for a in page.named("button")} <= {"button"}
    assert {a.get("type") for a in page.named("input")} <= {"radio"}
    for name, attributes in page.elements:
        assert name not in ACTIVE
        for key, value in attributes.items():
            assert not key.startswith("on")
            assert key not in {"src", "srcset", "action", "formaction", "ping", "background"}
            if key.endswith("href"):
                assert re.match(r"https?://|#|data:,$", value or ""), value
        if name == "a" and not (attributes.get("href") or "").startswith("#"):
            assert attributes["rel"] == "noopener noreferrer nofollow"
        if name == "meta":
            assert attributes.get("http-equiv") in {None, "Content-Security-Policy"}


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_from_the_data_are_texts(report: DriftReport, page_path: Path, text: str) -> None:
    baseline_examples = ((Example(text, text, 0.1, text),),) * 3
    feature = replace(
        report.features[0],
        name=text, source_column=text, column=text, baseline_id=text, fingerprint=text,
        choice=text, time_range=(text, text), segment_column=text, failures={text: 2},
        examples=baseline_examples,
    )  # fmt: skip
    windows = [
        replace(
            window,
            feature=text, segment=segment, failures={text: 2}, notes=(text,),
            examples=baseline_examples, novel_examples=baseline_examples[0],
            quality=tuple(replace(one, field=text) for one in window.quality),
            failure_shifts=tuple(replace(one, reason=text) for one in window.failure_shifts),
            explanations=tuple(
                replace(one, column=text, values=tuple(replace(v, value=text) for v in one.values))
                for one in window.explanations
            ),
            judgement=replace(
                window.judgement,
                reason=text,
                scores=window.judgement.scores | {text: window.judgement.scores["jsd"]},
            ),
        )
        for window in explained_report().windows for segment in (None, text)
    ]  # fmt: skip
    hostile = DriftReport(
        (feature,), tuple(windows), every=text, segment_column=text, notes=(text,)
    )

    page = rendered(hostile, page_path)
    assert_inert(page)
    assert_inert(Parsed(notebook_html(hostile)))
    assert len(page.named("style")) == 1
    assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(page_path.read_text(encoding="utf-8"))
    assert " ".join(plain(text).split()) in page.text
    assert page_path.stat().st_size < 300_000


def test_nothing_is_loaded_and_only_its_own_script_runs(
    report: DriftReport, page_path: Path
) -> None:
    page = rendered(report, page_path)
    text = page_path.read_text(encoding="utf-8")

    (policy,) = (m["content"] for m in page.named("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-"
    )
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert not {"eval(", "innerHTML", "fetch(", "XMLHttpRequest", "document.write"} & set(
        script.split()
    )
    assert_inert(page)
    assert "url(" not in text


def test_the_answer_stands_first(report: DriftReport, page_path: Path) -> None:
    text = rendered(report, page_path).text

    order = [
        "6 Mar's images are unlike your baseline",
        "How much As if",
        "Since when 6 Mar 2026, the newest window.",
        "How sure Practically certain",
        "2 of 6 windows drifted.",
        "How seldom chance alone would look like this",
        "What changed, window by window",
        "All 6 windows in numbers",
    ]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert re.search(r"cluster \d (rose|fell) from", text)
    assert "The window has 12 rows with vectors; a verdict needs 20." in text
    assert "The server answered with status 403." in text
    assert "A note on this day." in text
    assert "2 rows have no timestamp." in text
    assert "tiny-encoder" in text
    assert "report format monitor.report/3" in text
    assert "against a baseline of 1,200 rows" in text
    assert "1,200; the clusters were fitted on 600 of them" in text


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (quiet_report, "No drift found"),
        (failed_report, "No verdict: all 2 windows have too few rows with vectors"),
        (segmented_report, "Drift in 1 segment only"),
        (lambda: replace(quiet_report(), windows=()), "No windows to judge"),
        (lambda: DriftReport((), ()), "No windows to judge"),
        (lambda: joined(mixed_report(name="one"), quiet_report(2)), "Drift in 1 of 2 features"),
        (
            lambda: replace(mixed_report(), windows=mixed_report().windows[:4]),
            "No drift in 2 windows, 2 inconclusive",
        ),
        (
            lambda: replace(quiet_report(), windows=mixed_report().windows[2:3]),
            "No verdict: too few rows with vectors",
        ),
    ],
)
def test_every_kind_of_report_has_its_headline(
    report: object, headline: str, page_path: Path
) -> None:
    assert callable(report)
    built = report()
    page = rendered(built, page_path)

    assert headline in page.text
    assert len(page.named("h1")) == 1
    assert headline in notebook_html(built)


def test_a_drifted_window_is_told_in_the_order_people_ask(page_path: Path) -> None:
    text = rendered(explained_report(), page_path).text

    told = [
        "What it looks like A broken feed and new content.",
        "Why 9",
        "of the shift sits in country = FR",
        "The images' median brightness fell from",
        "Rows without a vector because of http_404 rose from 0 % to 21.1 % of all rows.",
        "Since when Since 5 Mar 2026.",
        "How large As if",
        "JSD 0.0",
        "How sure p",
        "Clusters,",
        "points (",
        " tests, one p-value",
        "Pixels, medians",
    ]
    at = text.index("6 Mar 2026 · drift")
    for part in told:
        at = text.index(part, at)


def test_the_page_marks_the_tests_that_the_verdict_rests_on(
    report: DriftReport, page_path: Path
) -> None:
    window = next(w for w in report.windows if w.judgement.verdict is Verdict.DRIFT)
    # None is below its share of alpha; together they are (harmonic mean: p = 0.022), the mix most of all.
    tests = tuple(
        replace(test, p_value=0.019 if test.name == "mix" else 0.021)
        for test in window.judgement.tests
    )
    judgement = replace(window.judgement, tests=tests, p_value=combine(tests), alpha=0.05)
    page = rendered(replace(report, windows=(replace(window, judgement=judgement),)), page_path)

    assert page.text.count("shows drift,") == 1
    assert "shows drift, 0.019" in page.text
    assert "the largest part of the JSD first" in page.text


def test_windows_that_drift_only_together_have_a_mark_of_their_own(page_path: Path) -> None:
    page = rendered(detected_report(), page_path)

    shapes = [a["href"] for a in page.named("use")]
    assert {"#i-drift", "#i-together", "#i-no-drift", "#i-inconclusive"} <= set(shapes)
    assert "drift only together with the windows before it" in page.text
    assert "drift with earlier" in page.text
    assert "Since 1 Apr 2026, and still so in the newest window." in page.text
    assert re.search(r"for the last \d+ windows together, [\d,]+ rows\.", page.text)
    assert [a.get("class") for a in page.named("path")].count("span") == 4  # two shifts, two charts


def test_a_rule_of_the_users_own_is_named(page_path: Path) -> None:
    text = rendered(threshold_report(), page_path).text

    assert "Your own thresholds decide: jsd 0.27" in text
    assert "Your threshold" in text
    assert "How far beyond your thresholds" in text


def test_rows_without_times_are_named_so(page_path: Path) -> None:
    windows = tuple(replace(w, start=None, end=None) for w in quiet_report().windows)
    page = rendered(replace(quiet_report(), windows=windows, every=None), page_path)

    assert "When All rows" in page.text


def test_segments_are_compared(page_path: Path) -> None:
    text = rendered(segmented_report(), page_path).text

    assert "Segments, by city" in text
    assert text.index("København") < text.index("Berlin")
    assert "København, 2 Mar 2026" in text


def test_a_year_is_small_and_quick(page_path: Path) -> None:
    year = long_report(365)
    rendered(year, page_path)

    page, n_lines = steps(lambda: rendered(year, page_path))
    text = page.text

    # A second's work: some hundreds for each of what is shown, nothing for each pair of windows.
    assert n_lines < 4_000_000
    assert page_path.stat().st_size < 1_500_000
    assert "40 of 365 windows drifted" in text
    assert "The 12 most drifted of 40 drifted windows" in text
    assert "325 windows without drift" in text


def test_only_the_worst_windows_are_told_in_full(page_path: Path) -> None:
    page = rendered(long_report(365), page_path)

    blocks = [d for d in page.named("details") if d.get("class") == "detail"]
    assert len(blocks) == 12
    assert not any("open" in block for block in blocks)


def test_examples_are_shown_before_and_after(
    report: DriftReport, pictures: PictureServer, page_path: Path
) -> None:
    report = with_sources(report, pictures.url)
    report.to_html(page_path, policy=pictures.policy)
    page = Parsed.read(page_path)

    labels = [e["aria-label"] for e in page.named("span") if e.get("role") == "img"]
    about = {a["data-row"] for a in page.named("a") if "data-row" in a}
    assert "row day4-2-0" in about
    assert f"http://{pictures.host}/day4-2-0?…" in labels
    assert f"http://{pictures.host}/baseline-0-1?…" in labels
    assert_inert(page)
    assert "s3cr3t" not in page.text + page.texts_of_attributes(but="href")
    assert len(set(pictures.paths)) == len(pictures.paths)
    # Days that are told in no block show no picture.
    assert not any("day0" in path for path in pictures.paths)


def test_a_picture_that_fails_leaves_its_reason(
    report: DriftReport, pictures: PictureServer, page_path: Path
) -> None:
    report = with_sources(report, lambda row: pictures.url(f"gone-{row}"))
    report.to_html(page_path, policy=pictures.policy)
    page = Parsed.read(page_path)

    assert "http 404" in page.text
    assert any("status 404" in (e.get("title") or "") for e in page.named("span"))
    assert not [e for e in page.named("span") if e.get("role") == "img"]


def test_a_page_says_why_its_pictures_are_blank(report: DriftReport, page_path: Path) -> None:
    with_sources(report, lambda row: f"/photos/{row}.png").to_html(page_path)

    text = Parsed.read(page_path).text
    assert "No picture could be read:" in text
    assert "path_outside_roots" in text
    assert "give `to_html(policy=…)` the policy that these images were embedded under" in text


def test_images_are_shown_as_this_process_embedded_them(
    report: DriftReport, page_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(picture(3))
    remember_policy("a column of files", SourcePolicy(roots=(tmp_path,)))
    report = with_sources(report, lambda row: str(tmp_path / "a.png"))
    features = (replace(report.features[0], source_column="a column of files"),)
    replace(report, features=features).to_html(page_path)

    page = Parsed.read(page_path)
    assert [e for e in page.named("span") if e.get("role") == "img"]
    assert "No picture could be read" not in page.text


def test_windows_without_rows_share_a_line(page_path: Path) -> None:
    calm, _, _, silent, *_ = mixed_report().windows
    days = [
        replace(
            calm if day in (0, 20) else replace(silent, failures={}),
            start=FIRST_DAY + dt.timedelta(days=day),
            end=FIRST_DAY + dt.timedelta(days=day + 1),
        )
        for day in range(21)
    ]
    page = rendered(replace(mixed_report(), windows=tuple(days)), page_path)

    assert "2–20 Mar 2026 (19 windows)" in page.text
    assert "All 21 windows in numbers" in page.text


def test_without_thumbnails_nothing_is_fetched(
    report: DriftReport, pictures: PictureServer, page_path: Path
) -> None:
    with_sources(report, pictures.url).to_html(page_path, policy=pictures.policy, thumbnails=False)

    assert pictures.paths == []
    page = Parsed.read(page_path)
    assert " day4-2-0 " in page.text
    assert "s3cr3t" not in page.text + page.texts_of_attributes(but="href")


def test_tables_and_landmarks_can_be_followed(page_path: Path) -> None:
    page = rendered(joined(mixed_report(name="one"), segmented_report()), page_path)

    assert all("scope" in header for header in page.named("th"))
    for landmark in ("main", "header", "nav", "footer"):
        assert page.named(landmark)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] or "" for a in page.named("a") + page.named("use") if "href" in a]
    targets = {link[1:] for link in links}
    assert targets <= set(ids)


def test_the_notebook_piece_is_short(report: DriftReport) -> None:
    year = notebook_html(long_report(365))
    page = Parsed(year)

    assert len(page.named("tr")) == 13
    assert len(year) < 100_000
    assert "The 12 most drifted of 365 windows." in page.text
    assert all(
        rule.lstrip().startswith((".monitor-report", "}"))
        for rule in re.search(r"<style>(.*?)</style>", year, re.DOTALL)[1].strip().splitlines()  # type: ignore[index]
    )
    assert report._repr_html_() == notebook_html(report)


def test_the_same_report_gives_the_same_page(report: DriftReport, tmp_path: Path) -> None:
    first = write_html(report, tmp_path / "a.html", thumbnails=False)
    report.to_json(tmp_path / "report.json")
    again = DriftReport.from_json(tmp_path / "report.json")
    second = write_html(again, tmp_path / "b.html", thumbnails=False)

    assert first.read_bytes() == second.read_bytes()


def test_a_page_that_cannot_be_written(report: DriftReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ReportError, match="give a file in a folder that you may write to"):
        write_html(report, tmp_path / "file" / "report.html", thumbnails=False)
