"""Every page in a real browser: from alert to pictures, from lasso to file, and nothing from outside."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.conftest import AXE, look, requests_of, show

DRIFTED = "2026-03-03T00:00:00Z"
READY = "document.querySelector('#map').dataset.ready"
RUN_AXE = """
const [only, done] = arguments;
const rules = only ? {runOnly: {type: 'rule', values: [only]}} : {};
axe.run(document, {resultTypes: ['violations'], preload: false, ...rules}).then(
  (r) => done(r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target)}`)));
"""


class Page:
    """A browser that looks at one server."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver, self.address = driver, address

    def open(self, path: str, *, until: str = "true") -> None:
        show(self.driver, self.address + path)
        self.wait(until)

    def wait(self, script: str) -> Any:
        """What the script gives, once it is something."""
        value = None
        for _ in range(3_000):
            value = self.driver.execute_script(f"return {script}")
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"still {value!r}: {script}")

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()

    def check(self, *, allowed: str = "\0") -> None:
        """Nothing was complained of, and nothing asked for elsewhere."""
        # That reading back what software drew takes time, its driver says to whom it may concern.
        logged = [
            e["message"]
            for e in self.driver.get_log("browser")
            if allowed not in e["message"] and "GL Driver Message" not in e["message"]
        ]
        assert logged == []
        asked = {url for url in requests_of(self.driver) if not url.startswith(("data:", "blob:"))}
        assert {url for url in asked if not url.startswith(self.address + "/")} <= {"about:blank"}


@pytest.fixture(scope="session")
def page(address: str, browser: webdriver.Chrome) -> Page:
    return Page(browser, address)


def test_an_alert_leads_to_its_pictures(page: Page) -> None:
    page.open("/")
    page.click(".alert .button.strong")
    # The first click shows them already; the second shows one in full.
    n = page.wait("[...document.querySelectorAll('.tile img')].filter(i => i.naturalWidth).length")
    assert n >= 4
    page.click(".tile[data-picture]")
    page.wait("document.querySelector('#viewer[open] img').naturalWidth == 90")
    ActionChains(page.driver, duration=10).send_keys(Keys.ARROW_RIGHT, Keys.ESCAPE).perform()
    page.wait("!document.querySelector('#viewer').open")
    page.click(".tile[data-picture]")
    page.click("#viewer a.button")
    page.wait("document.querySelector('#found-title')?.textContent == 'The 60 most alike'")
    # The row whose picture cannot be had is told as that, by the server's answer.
    page.check(allowed="/thumb/")


def test_the_timeline_zooms_and_opens_windows(page: Page) -> None:
    page.open("/features/1", until="document.querySelector('#timeline').dataset.ready")
    over = page.driver.find_elements("css selector", ".u-over")[0]
    width = over.size["width"]
    drag = ActionChains(page.driver, duration=10).move_to_element_with_offset(
        over, -width // 4 + 5, 0
    )
    drag.click_and_hold().move_by_offset(width // 2, 0).release().perform()
    page.wait("!document.querySelector('#reset').hidden")
    shown = page.driver.execute_script(
        "return [...document.querySelectorAll('#windows tbody tr:not(.out)')].map(r => r.dataset.start)"
    )
    assert 0 < len(shown) < 4
    assert "since=" in page.driver.current_url
    page.click("#reset")
    page.check()
    box = page.driver.find_element("css selector", "#timeline")
    box.send_keys(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert "drift" in page.wait("document.querySelector('#timeline-says').textContent")
    box.send_keys(Keys.ENTER)
    page.wait(f"location.pathname.endsWith('{DRIFTED}')")


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    """Draw through these corners, in parts of the map's box from its middle."""
    box = page.driver.find_element("css selector", "#map")
    half = box.size["width"] / 2
    places = [(round(x * half), round(-y * half)) for x, y in corners]
    chain = (
        ActionChains(page.driver, duration=10)
        .move_to_element_with_offset(box, *places[0])
        .click_and_hold()
    )
    for (x0, y0), (x1, y1) in pairwise(places):
        chain = chain.move_by_offset(x1 - x0, y1 - y0)
    chain.release().perform()


AROUND = [(-0.97, -0.97), (0.97, -0.97), (0.97, 0.97), (-0.97, 0.97), (-0.97, -0.9)]


def test_a_lasso_shows_rows_that_can_be_exported(page: Page) -> None:
    page.open(f"/features/1/map?since={DRIFTED}&until=2026-03-04T00:00:00Z", until=READY)
    assert page.driver.execute_script("return document.querySelector('#density').hidden")
    lasso(page, AROUND)
    n = int(page.wait("document.querySelector('#map').dataset.selected"))
    assert n > 300
    page.wait("document.querySelectorAll('#gallery .tile img').length > 30")
    page.wait("document.querySelectorAll('#rows tbody tr').length > 30")
    link = page.wait("document.querySelector('#exports a[data-form=csv]').href")
    lines = page.driver.execute_async_script(
        "fetch(arguments[0]).then(r => r.text()).then(t => arguments[1](t.trim().split('\\n').length))",
        link,
    )
    assert lines == n + 1
    # The address alone gives the same view.
    shared = page.driver.current_url.removeprefix(page.address)
    assert "polygon=" in shared
    page.check(allowed="/thumb/")
    page.open(shared, until="document.querySelector('#map').dataset.selected")
    assert int(page.wait("document.querySelector('#map').dataset.selected")) == n
    page.click(".map-tools #clear")
    assert "polygon=" not in page.driver.current_url


def test_colours_search_and_more_like_this(page: Page) -> None:
    page.open(f"/features/1/map?since={DRIFTED}&until=2026-03-04T00:00:00Z", until=READY)
    page.driver.execute_script(
        "const c = document.querySelector('#colour'); c.value = 'column:camera';"
        "c.dispatchEvent(new Event('change'))"
    )
    names = page.wait(
        "(n => n.includes('phone') && n)("
        "[...document.querySelectorAll('#legend span')].map(s => s.textContent))"
    )
    assert names == ["studio", "phone"]
    page.click("#legend button")
    assert "hidden=" in page.driver.current_url
    box = page.driver.find_element("css selector", "#search-text")
    box.send_keys("a red square", Keys.ENTER)
    page.wait("document.querySelector('#found-title').textContent == 'The 60 most alike'")
    page.wait("[...document.querySelectorAll('#gallery .tile img')].some(i => i.naturalWidth)")
    page.click("#gallery .tile[data-point]")
    page.wait("document.querySelector('#viewer').open")
    more = "[...document.querySelectorAll('#viewer button')].find(b => b.textContent == 'More like this')"
    page.driver.execute_script(f"{more}.click()")
    page.wait("document.querySelector('#found-says').textContent.startsWith('To this row')")
    page.check(allowed="/thumb/")


def test_without_webgl_the_server_draws_the_map(page: Page) -> None:
    page.open(f"/features/1/map?since={DRIFTED}&until=2026-03-04T00:00:00Z&no-webgl", until=READY)
    page.wait("document.querySelector('#density').naturalWidth == 720")
    page.click("[data-tool=rectangle]")
    lasso(page, [(-0.97, -0.97), (0.97, 0.97)])
    assert int(page.wait("document.querySelector('#map').dataset.selected")) > 300
    page.check(allowed="/thumb/")


def test_a_mark_is_kept_and_shown(page: Page) -> None:
    page.open(f"/features/1/windows/{DRIFTED}")
    page.driver.find_element("css selector", "[name=note]").send_keys("a new supplier")
    # The radio button lies below its label.
    page.click(".pill:has([value='real drift'])")
    page.click(".mark-form button")
    assert page.wait("document.querySelector('.lede .mark')?.textContent") == "real drift, says ann"
    assert "a new supplier" in page.wait("document.querySelector('.acts.log').textContent")
    page.check(allowed="/thumb/")


def test_the_slider_shows_one_window_after_the_other(page: Page) -> None:
    page.open("/features/1/map?since=2026-03-01T00:00:00Z&until=2026-03-05T00:00:00Z", until=READY)
    slider = page.driver.find_element("css selector", "#at")
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.wait("document.querySelector('#at-says').textContent == '2026-03-02'")
    shown = "[...document.querySelectorAll('#legend button')].map(b => b.ariaPressed).join()"
    assert page.driver.execute_script(f"return {shown}") == "true,false,true,false,false"
    page.click("#outlines")
    page.wait("document.querySelector('.outline-after').getAttribute('d').length > 200")
    assert "at=2" in page.driver.current_url
    assert "outlines=on" in page.driver.current_url
    page.click("#play")
    page.wait("document.querySelector('#at-says').textContent != '2026-03-02'")
    page.click("#play")
    page.check()


SPAN = f"since={DRIFTED}&until=2026-03-04T00:00:00Z"


@pytest.mark.slow
@pytest.mark.skipif(not AXE, reason="MONITOR_AXE does not name axe.min.js: npm install axe-core")
@pytest.mark.parametrize(
    ("path", "until"),
    [
        ("/", "true"),
        ("/features/1", "document.querySelector('#timeline').dataset.ready"),
        (f"/features/1/windows/{DRIFTED}", "true"),
        (f"/features/1/map?{SPAN}&like=0", "document.querySelector('#map').dataset.selected"),
    ],
    ids=["start", "feature", "window", "map"],
)
def test_axe_finds_nothing(page: Page, path: str, until: str) -> None:
    page.open(path, until=until)
    # The page's own policy lets in no foreign script, so axe comes by the debugger.
    source = Path(AXE).read_text("utf-8")
    page.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
    # A dark page differs from a light one in its colours alone.
    for width, scheme, only in (
        (1280, "light", None),
        (1280, "dark", "color-contrast"),
        (390, "light", None),
    ):
        look(page.driver, width, scheme)
        assert page.driver.execute_async_script(RUN_AXE, only) == [], (width, scheme)
        wide = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, scheme
