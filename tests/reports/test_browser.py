"""The page in a real browser: opens offline, loads nothing, fits a phone, can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from monitor.clusters import Example
from monitor.reports import DriftReport
from tests.conftest import requests_of, show

from .conftest import PictureServer
from .samples import joined, mixed_report, segmented_report, with_sources

CONTRAST = """
const parse = c => { const v = c.match(/[\\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
const light = c => { const [r, g, b] = c.map(v => v / 255)
  .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const below = e => { for (; e; e = e.parentElement) {
  const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; }
  return [255, 255, 255, 1]; };
const found = [];
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const box = e.getBoundingClientRect();
  if (!own || !box.width || e.closest('defs, title, .hidden, .skip')) continue;
  const style = getComputedStyle(e), svg = e.closest('svg');
  const [a, b] = [light(parse(svg ? style.fill : style.color)), light(below(e))];
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.tagName} ${e.className} ${e.textContent}`);
}
return found;
"""


@pytest.fixture
def page(report: DriftReport, pictures: PictureServer, page_path: Path) -> Path:
    both = joined(report, with_sources(mixed_report(name="images"), pictures.url))
    both.to_html(page_path, policy=pictures.policy)
    pictures.paths.clear()
    return page_path


def test_it_opens_without_a_complaint_and_asks_for_nothing(
    browser: webdriver.Chrome, page: Path, pictures: PictureServer
) -> None:
    show(browser, page)

    heading = browser.execute_script("return document.querySelector('h1').innerText")
    assert heading == "Drift in 2 of 2 features"
    assert browser.get_log("browser") == []
    assert {url for url in requests_of(browser) if not url.startswith("data:")} == {page.as_uri()}
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert pictures.paths == []


def test_pictures_are_seen(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)

    shown = browser.execute_script(
        "return [...document.querySelectorAll('details[open] .pic')].map(e =>"
        "[getComputedStyle(e).backgroundImage.slice(0, 20), e.getBoundingClientRect().width])"
    )
    assert len(shown) > 10
    assert {kind for kind, _ in shown} == {'url("data:image/webp'}
    assert all(width > 40 for _, width in shown)


def test_a_mark_leads_to_its_window(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = false")
    browser.execute_script(
        "document.querySelector('.wide a').dispatchEvent(new MouseEvent('click'))"
    )

    opened = browser.execute_script("return document.querySelector('details[open] h3').innerText")
    assert opened in {"5 Mar 2026", "6 Mar 2026"}


@pytest.mark.parametrize("build", [None, segmented_report])
def test_it_fits_a_phone(browser: webdriver.Chrome, page: Path, build: Any, tmp_path: Path) -> None:
    path = build().to_html(tmp_path / "other.html") if build else page
    show(browser, path, width=390)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")

    assert browser.execute_script("return document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser: webdriver.Chrome, page: Path, scheme: str) -> None:
    show(browser, page, scheme=scheme)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")

    assert browser.execute_script(CONTRAST) == []


def test_texts_from_the_data_do_not_act(
    browser: webdriver.Chrome, report: DriftReport, page_path: Path
) -> None:
    evil = "</style></title></svg>\"'><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
    rows = ((Example(evil, evil, 0.1), Example("1", "javascript:alert(1)", 0.1)),) * 3
    windows = tuple(replace(window, examples=rows) for window in report.windows)
    DriftReport(report.features, windows, notes=(evil,)).to_html(page_path, thumbnails=False)
    show(browser, page_path)

    assert browser.title == "2 of 6 windows drifted – drift report"
    assert browser.execute_script("return document.scripts.length + document.images.length") == 0
    assert (
        browser.execute_script("return document.querySelectorAll('[href^=javascript]').length") == 0
    )
    assert browser.get_log("browser") == []
