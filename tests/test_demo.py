"""The demo: the three unusual days are found, no other; the page opens; the tables are there to try."""

import json

import pytest

from monitor.demo import example_tables, run_demo
from monitor.demo.shop import UNUSUAL_DAYS
from monitor.drift import ShiftKind
from monitor.reports import DriftReport
from tests.conftest import N_DRAWN, requests_of, show

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory, shop):
    output = tmp_path_factory.mktemp("demo")
    lines: list[str] = []
    return output, run_demo(output, **N_DRAWN, echo=lines.append), "\n".join(lines)


def test_the_unusual_days_are_flagged_and_no_other(demo):
    _, report, _ = demo
    verdicts = report.to_frame()["verdict"].tolist()
    assert [day for day, verdict in enumerate(verdicts) if verdict == "drift"] == list(UNUSUAL_DAYS)
    assert set(verdicts) == {"drift", "no drift"}


def test_every_row_is_accounted_for(demo):
    _, report, _ = demo
    assert [window.n_rows for window in report.windows] == [60] * 10
    assert {reason for window in report.windows for reason in window.failures} == {"http_404"}


def test_the_reasons_are_what_the_demo_draws(demo):
    _, report, _ = demo
    first, second, third = (report.windows[day] for day in UNUSUAL_DAYS)
    assert first.kinds[0] == second.kinds[0] == ShiftKind.NEW_CONTENT  # receipts
    assert third.kinds == (ShiftKind.TECHNICAL,)
    assert third.change.cause == "darker"


def test_receipts_are_shown_where_they_came(demo):
    _, report, _ = demo
    assert report.windows[5].judgement.novel_share > 0.1 > report.windows[0].judgement.novel_share
    assert report.windows[5].novel_examples


def test_both_files_are_written_and_the_table_is_printed(demo):
    output, report, text = demo
    assert json.loads((output / "report.json").read_text())["format"] == "monitor.report/3"
    again = DriftReport.from_json(output / "report.json")
    assert again.to_frame()["p_value"].tolist() == report.to_frame()["p_value"].tolist()
    assert "3 of 10 windows drifted" in text
    assert str(output / "report.html") in text


def test_the_page_opens_in_a_browser(demo, browser):
    page = demo[0] / "report.html"
    show(browser, page.as_uri())
    heading = browser.execute_script("return document.querySelector('h1').innerText")
    assert heading == "All of 9 Mar's images are darker"
    assert browser.execute_script("return document.querySelectorAll('.pic').length") > 30
    assert browser.get_log("browser") == []
    assert {u for u in requests_of(browser) if not u.startswith("data:")} == {page.as_uri()}


def test_example_tables_are_the_same_each_time():
    first, second = (example_tables(n_baseline=5, n_rows_a_day=2)[0] for _ in range(2))
    assert first.equals(second)
