"""What tests of more than one room share: a browser, a database server, pictures, and the order of tests."""

from __future__ import annotations

import functools
import gc
import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.store.databases import NO_POSTGRES, PostgresServer, postgres_programs, postgres_server

# How long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

PACKAGE = Path(__file__).parents[1] / "monitor"
AXE = os.environ.get("MONITOR_AXE", "")
"""The path of axe.min.js, from npm's axe-core; .ci/run fetches it."""
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,900",
    # WebGL in software; all else is drawn without it, which takes a third of the time.
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
    "--disable-gpu-compositing", "--disable-gpu-rasterization",
    # All pages are ours: one process draws them, and none is kept ready for others.
    "--renderer-process-limit=1", "--disable-site-isolation-trials",
    "--disable-features=BackForwardCache,SpareRendererForSitePerProcess",
)  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """No garbage is sought while modules and tests load, which all stay, nor later among them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        # A thousand times in a minute of tests, for a thirtieth of their time, is more often than it pays.
        gc.set_threshold(10_000, 20, 20)


class ExamplesAlone:
    """Modules of the package that have no example are not loaded to look for one."""

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        is_ours = collection_path.suffix == ".py" and PACKAGE in collection_path.parents
        return True if is_ours and b">>>" not in collection_path.read_bytes() else None


def pytest_configure(config: pytest.Config) -> None:
    """Registered, not a hook of this file, which would hold for its own folder alone."""
    config.pluginmanager.register(ExamplesAlone())


SHARING = {"alerts", "embedding", "encoders", "reports", "web"}
"""Folders whose tests share what takes seconds: a browser, judged samples, a project, Ray, transformers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that all workers end at about the same time.

    And those of the folders that share most, so that one worker makes it all and no other again.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow and SHARING.isdisjoint(item.path.parts))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; a test that asks for it is skipped, with a notice, where there is none.

    Here, and not with the other fixtures of stores, it is started once in each worker, not once a folder.
    """
    programs = postgres_programs()
    if programs is None:
        pytest.skip(NO_POSTGRES)
    with postgres_server(programs) as server:
        yield server


N_DRAWN = {"n_baseline": 400, "n_rows_a_day": 60}
"""The pictures of `example_tables()`."""


@functools.cache
def drawn() -> tuple[list[Any], list[Any]]:
    """The little shop's pictures, which take seconds to draw: the baseline's and those of the ten days."""
    import numpy as np

    from monitor.demo.shop import baseline_photos, daily_photos

    rng = np.random.default_rng(0)
    baseline = baseline_photos(N_DRAWN["n_baseline"], rng)
    return baseline, daily_photos(N_DRAWN["n_rows_a_day"], rng)


@pytest.fixture(scope="session")
def shop_vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of vectors for everybody who embeds the little shop's pictures, in whichever worker."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "vectors"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def shop(shop_vectors: Path) -> Iterator[None]:
    """The demo and code of the docs draw the shop's pictures once and embed each once, whichever page."""
    import monitor
    import monitor.demo
    import monitor.demo.run
    from monitor.demo import shop

    baseline, days = drawn()
    draw = shop.baseline_photos, shop.daily_photos

    def baseline_photos(n: int, rng: Any) -> list[Any]:
        return baseline if n == N_DRAWN["n_baseline"] else draw[0](n, rng)

    def daily_photos(n_a_day: int, rng: Any) -> list[Any]:
        return days if n_a_day == N_DRAWN["n_rows_a_day"] else draw[1](n_a_day, rng)

    with pytest.MonkeyPatch.context() as patch:
        for module in (shop, monitor.demo.run):
            patch.setattr(module, "baseline_photos", baseline_photos)
            patch.setattr(module, "daily_photos", daily_photos)
        for module in (monitor, monitor.demo.run):
            patch.setattr(module, "embed", functools.partial(module.embed, cache=shop_vectors))
        yield


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Headless Chromium; a test that asks for it is skipped, with a notice, where there is none."""
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Chromium is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enablePage": False})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


def look(browser: webdriver.Chrome, width: int = 1280, scheme: str = "light") -> None:
    """As on a screen of this width, by day or by night."""
    size = {"width": width, "height": 900, "screenWidth": width, "screenHeight": 900}
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {**size, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def show(
    browser: webdriver.Chrome, address: str, *, width: int = 1280, scheme: str = "light"
) -> None:
    """Open the page anew, with nothing left in the logs of what came before."""
    look(browser, width, scheme)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(address)


def requests_of(browser: webdriver.Chrome) -> set[str]:
    """Every address that the page asked for."""
    events: list[dict[str, Any]] = [
        json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
    ]
    return {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
