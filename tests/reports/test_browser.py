"""The page in a real browser: opens offline, loads nothing, fits a phone, can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from monitor.clusters import Example
from monitor.reports import DriftReport
from tests.conftest import requests_of, show

from .conftest import PictureServer
from .samples import segmented_report

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


def test_it_opens_without_a_complaint_and_asks_for_nothing(
    browser: webdriver.Chrome, full_page: Path, picture_server: PictureServer
) -> None:
    picture_server.paths.clear()
    show(browser, full_page.as_uri())

    assert browser.get_log("browser") == []
    asked = {url for url in requests_of(browser) if not url.startswith("data:")}
    assert asked == {full_page.as_uri()}
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert picture_server.paths == []


def test_the_first_screen_answers(browser: webdriver.Chrome, full_page: Path) -> None:
    show(browser, full_page.as_uri())

    below = browser.execute_script(
        "return [...document.querySelectorAll('h1, .why, .scene, .facts dd, .steps code')]"
        ".filter(e => !e.closest('details') && e.getBoundingClientRect().bottom > 900)"
        ".map(e => e.innerText)"
    )
    assert below == []
    assert browser.execute_script("return document.documentElement.scrollHeight") < 2_900


def test_pictures_are_seen(browser: webdriver.Chrome, full_page: Path) -> None:
    show(browser, full_page.as_uri())

    shown = browser.execute_script(
        "return [...document.querySelectorAll('.scene .pic')].map(e =>"
        "[getComputedStyle(e).backgroundImage.slice(0, 20), e.getBoundingClientRect().width])"
    )
    assert len(shown) == 6
    assert {kind for kind, _ in shown} == {'url("data:image/webp'}
    assert all(width > 120 for _, width in shown)


def test_a_picture_opens_large(browser: webdriver.Chrome, full_page: Path) -> None:
    show(browser, full_page.as_uri())
    title = "return document.getElementById('zoom-title').innerText"

    browser.find_elements("css selector", ".scene [data-row]")[0].click()
    first = browser.execute_script(title)
    link = browser.execute_script("return document.getElementById('zoom-source').href")
    width = browser.execute_script("return document.getElementById('zoom-picture').clientWidth")
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    second = browser.execute_script(title)
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)

    assert first.startswith("row ")
    assert first != second
    assert link.startswith("http://127.0.0.1")
    assert width > 300
    assert not browser.execute_script("return document.getElementById('zoom').open")
    assert len(browser.window_handles) == 1


def test_a_map_is_drawn_and_tells_its_points(browser: webdriver.Chrome, full_page: Path) -> None:
    show(browser, full_page.as_uri())
    browser.execute_script("document.querySelector('.detail:has(.map)').open = true")
    colours = (
        "return [...new Set(new Uint32Array(arguments[0].getContext('2d')"
        ".getImageData(0, 0, arguments[0].width, arguments[0].height).data.buffer))].length"
    )
    canvas = browser.find_element("css selector", "canvas")
    WebDriverWait(browser, 20).until(lambda _: browser.execute_script(colours, canvas) > 20)

    before = browser.execute_script("return arguments[0].toDataURL()", canvas)
    browser.find_element("css selector", ".map input[value=cluster]").click()
    assert browser.execute_script("return arguments[0].toDataURL()", canvas) != before

    browser.execute_script(POINT_AT_A_PICTURE, canvas)
    tip = browser.find_element("css selector", ".map .tip")
    assert "row " in tip.text
    assert "cluster" in tip.text
    assert tip.find_elements("css selector", ".pic")


def test_a_mark_leads_to_its_window(browser: webdriver.Chrome, full_page: Path) -> None:
    show(browser, full_page.as_uri())
    browser.execute_script(
        "document.querySelector('.wide a').dispatchEvent(new MouseEvent('click'))"
    )

    opened = browser.execute_script("return document.querySelector('details[open] h3').innerText")
    assert "5 Mar" in opened


POINT_AT_A_PICTURE = """
const canvas = arguments[0], raw = Uint8Array.from(atob(canvas.dataset.after), c => c.charCodeAt(0));
const xy = new DataView(raw.buffer), box = canvas.getBoundingClientRect();
const [, point] = JSON.parse(canvas.dataset.rows).find(([side, , number]) => side === 1 && number >= 0);
canvas.dispatchEvent(new PointerEvent('pointermove', {
  clientX: box.left + xy.getUint16(4 * point, true) / 65535 * box.width,
  clientY: box.top + (1 - xy.getUint16(4 * point + 2, true) / 65535) * box.height,
  bubbles: true,
}));
"""


@pytest.mark.parametrize("build", [None, segmented_report])
def test_it_fits_a_phone(
    browser: webdriver.Chrome, full_page: Path, build: Any, tmp_path: Path
) -> None:
    path = build().to_html(tmp_path / "other.html") if build else full_page
    show(browser, path.as_uri(), width=390)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")

    assert browser.execute_script("return document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser: webdriver.Chrome, full_page: Path, scheme: str) -> None:
    show(browser, full_page.as_uri(), scheme=scheme)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")

    assert browser.execute_script(CONTRAST) == []


def test_texts_from_the_data_do_not_act(
    browser: webdriver.Chrome, report: DriftReport, page_path: Path
) -> None:
    evil = "</style></title></svg>\"'><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
    rows = ((Example(evil, evil, 0.1), Example("1", "javascript:alert(1)", 0.1)),) * 3
    windows = tuple(replace(window, examples=rows) for window in report.windows)
    DriftReport(report.features, windows, notes=(evil,)).to_html(page_path, thumbnails=False)
    show(browser, page_path.as_uri())

    assert browser.title == "2 of 6 windows drifted – drift report"
    # The page's own script, and no other.
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.execute_script("return document.images.length") == 0
    assert (
        browser.execute_script("return document.querySelectorAll('[href^=javascript]').length") == 0
    )
    assert browser.get_log("browser") == []
