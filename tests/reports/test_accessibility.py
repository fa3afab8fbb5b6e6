"""The page under axe-core, the usual checker of accessibility."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver

from monitor.reports import DriftReport
from tests.conftest import AXE, look, show

from .samples import detected_report, explained_report, joined, segmented_report, threshold_report

RUN = """
const done = arguments[arguments.length - 1];
axe.run(document).then(
  found => done([found.passes.map(p => p.id),
                 found.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 200))])]),
  error => done([[], [['critical', String(error), []]]]));
"""


@pytest.mark.skipif(not AXE, reason="MONITOR_AXE does not name axe.min.js: npm install axe-core")
@pytest.mark.parametrize(
    ("build", "looks"),
    [
        (lambda: detected_report().last(4), [(1280, "dark")]),
        (segmented_report, [(390, "light")]),
        (lambda: joined(explained_report(), threshold_report()), [(1280, "light"), (390, "dark")]),
    ],
    ids=["together", "segments", "features"],
)
def test_axe_finds_nothing(
    browser: webdriver.Chrome,
    build: Callable[[], DriftReport],
    page_path: Path,
    looks: list[tuple[int, str]],
) -> None:
    build().to_html(page_path, thumbnails=False)
    show(browser, page_path.as_uri())
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    # The page's own policy forbids scripts, so axe comes in by the debugger.
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": Path(AXE).read_text("utf-8")})
    for width, scheme in looks:
        look(browser, width, scheme)

        passed, found = browser.execute_async_script(RUN)

        assert found == [], (width, scheme)
        assert {"color-contrast", "aria-valid-attr", "landmark-unique"} <= set(passed)
