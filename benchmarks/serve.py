"""How quick the page is, and how large: `python benchmarks/serve.py [--results N] [--points N] [--width D]`.

A store of N results (20 features, 500 windows each, the rest segments; the document of each window is a real
one, those of segments are empty, as no page reads them) and a map of N points of width D. The server is a
process of its own, asked over HTTP; times are the median of five and the slowest. Its memory is its largest.
With Chromium and its driver, the first picture of the map and a lasso are timed in a browser, too, on
software WebGL.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import monitor
from monitor.features import ClusteredFeature
from monitor.store import Store, leases, results
from monitor.store.tables import changes, windows
from monitor.store.tables import results as result_table
from monitor.windows import Every, Grid, Window, zone_of

DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
DAYS = Grid(Every.parse("1d"), zone_of("UTC"))
N_FEATURES, N_WINDOWS = 20, 500
SPAN = "since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"


def feature_named(name: str) -> ClusteredFeature:
    return monitor.VectorFeature(name=name, column="vector", n_clusters=10)


def vectors(n: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(0).normal(size=(10, width)).astype(np.float32)
    noise = rng.standard_normal((n, width), dtype=np.float32)
    return middles[rng.integers(0, 10, n)] + 0.6 * noise


def table(n: int, width: int, seed: int, start: dt.datetime) -> pa.Table:
    flat = pa.array(vectors(n, width, seed).ravel())
    rng = np.random.default_rng(seed)
    times = np.datetime64(start.replace(tzinfo=None), "us") + np.arange(n).astype("timedelta64[us]")
    return pa.table(
        {
            "vector": pa.FixedSizeListArray.from_arrays(flat, width),
            "ts": pa.array(times, pa.timestamp("us", "UTC")),
            "camera": pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, n)]),
        }
    )


class Rows:
    """Half of the points are the baseline's, half one window's."""

    timestamp_column = "ts"

    def __init__(self, n_points: int, width: int) -> None:
        self.n, self.width = n_points // 2, width

    def baseline(self, _: ClusteredFeature) -> Iterator[pa.Table]:
        yield from self._tables(1_000, FIRST - 30 * DAY)

    def window(
        self, _: ClusteredFeature, start: dt.datetime, __: dt.datetime
    ) -> Iterator[pa.Table]:
        yield from self._tables(2_000, start)

    def _tables(self, seed: int, start: dt.datetime) -> Iterator[pa.Table]:
        for first in range(0, self.n, 20_000):
            yield table(min(20_000, self.n - first), self.width, seed + first, start)


def fill(store: Store, n_results: int, width: int) -> None:
    """One window really judged, and its result for all others."""
    feature = feature_named("f0")
    train = pd.DataFrame({"vector": list(vectors(2_000, width, 1))})
    baseline = monitor.fit_baseline(train, feature)
    frame = pd.DataFrame({"vector": list(vectors(300, width, 2) + 0.3), "ts": FIRST})
    day = Window(FIRST, FIRST + DAY)
    report = monitor.detect_drift(
        frame, baseline, timestamp_column="ts", every="1d", window=(day.start, day.end)
    )
    sketch = baseline.sketch(np.stack(frame["vector"]), {})
    judged = results.JudgedWindow(report, baseline, sketch, "")
    names = [f"f{i}" for i in range(N_FEATURES)]
    with store.writing() as connection:
        for name in names:
            leases.add_due(connection, name, [day], DAYS, FIRST)
        for _ in names:
            claim = leases.claim_next(
                connection, names, owner="b", now=FIRST, lease=DAY, max_attempts=9
            )
            assert claim is not None
            results.save(connection, claim, judged, FIRST)
        known = {row.feature_id: row for row in connection.execute(windows.select())}
        whole = {row.window_id: row for row in connection.execute(result_table.select())}
        change = connection.execute(changes.select()).first()._asdict()
        n_segments = n_results // (N_FEATURES * N_WINDOWS) - 1
        window_id, result_id = 1_000_000, 1_000_000
        for row in known.values():
            some_windows, some_results, some_changes = [], [], []
            values = row._asdict()
            result = whole[row.id]._asdict()
            for number in range(1, N_WINDOWS):
                window_id += 1
                start = FIRST + number * DAY
                some_windows.append(
                    values | {"id": window_id, "window_start": start, "window_end": start + DAY}
                )
                for segment in ["", *(f"s{k}" for k in range(n_segments))]:
                    result_id += 1
                    is_whole = segment == ""
                    some_results.append(
                        result
                        | {"id": result_id, "window_id": window_id, "segment": segment}
                        | ({} if is_whole else {"document": {}, "sketch": None, "histogram": []})
                    )
                    some_changes.append(change | {"result_id": result_id})
            connection.execute(windows.insert(), some_windows)
            connection.execute(result_table.insert(), some_results)
            connection.execute(changes.insert(), some_changes)


def serve(url: str, folder: str, n_points: int, width: int, port: Any) -> None:
    """The server, in a process of its own."""
    import uvicorn

    from monitor.images import SourcePolicy
    from monitor.web import Access, Site, create_app

    site = Site(
        store=Store(url),
        features={"f0": feature_named("f0")},
        policy=SourcePolicy(),
        rows=Rows(n_points, width),
        folder=Path(folder),
        max_points=n_points,
        now=lambda: FIRST + N_WINDOWS * DAY,
    )
    config = uvicorn.Config(create_app(site, Access("bench")), port=0, log_level="warning")
    socket = config.bind_socket()
    port.value = socket.getsockname()[1]
    uvicorn.Server(config).run(sockets=[socket])


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


class Client:
    """Asks one server."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=600) as answer:
            content: bytes = answer.read()
        return content

    def timed(self, what: str, path: str, wanted: str) -> None:
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            self.get(path)
            times.append(time.perf_counter() - begin)
        print(
            f"{what:44} {statistics.median(times) * 1e3:8.0f} ms  {max(times) * 1e3:8.0f} ms  {wanted}"
        )


def readers(client: Client, n: int) -> None:
    """So many at once, each reading three pages."""
    failures: list[Exception] = []

    def read() -> None:
        try:
            for path in ("/", "/features/1", "/api/features/1/windows?n=90"):
                client.get(path)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(n)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    print(
        f"{n} readers at once, 3 pages each: {seconds:.1f} s, {len(failures)} failed {failures[:1]}"
    )


def in_browser(address: str) -> None:
    """The first picture of the map, and a lasso, as a person sees them."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        from selenium.webdriver.common.action_chains import ActionChains
    except ModuleNotFoundError:
        return
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "--headless", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000",
        "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
    ):  # fmt: skip
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

    def wait(script: str) -> float:
        begin = time.perf_counter()
        while not driver.execute_script(f"return {script}"):
            time.sleep(0.02)
        return time.perf_counter() - begin

    def timed(what: str, wanted: str, action: Callable[[], object], script: str) -> None:
        begin = time.perf_counter()
        action()
        wait(script)
        print(f"{what:44} {(time.perf_counter() - begin) * 1e3:8.0f} ms  {'':11}  {wanted}")

    selected = "document.querySelector('#map').dataset.selected"
    url = f"{address}/features/1/map?{SPAN}"
    try:
        for time_of in ("first", "again"):
            driver.get("about:blank")
            timed(
                f"map in the browser, first picture, {time_of}", "< 4 s", lambda: driver.get(url),
                "document.querySelector('#density').naturalWidth || "
                "document.querySelector('#map').dataset.ready",
            )  # fmt: skip
            driver.get("about:blank")
            timed(
                f"map in the browser, all points, {time_of}", "< 4 s", lambda: driver.get(url),
                "document.querySelector('#map').dataset.ready",
            )  # fmt: skip
        box = driver.find_element("css selector", "#map")
        side = round(box.size["width"] * 0.2)
        lasso = ActionChains(driver, duration=20)
        lasso.move_to_element_with_offset(box, -side, -side).click_and_hold()
        for x, y in ((2 * side, 0), (0, 2 * side), (-2 * side, 0), (0, -side)):
            lasso = lasso.move_by_offset(x, y)
        lasso.perform()
        # The hand is up: from here to rows in the table.
        timed(
            "lasso by hand to table, in the browser",
            "< 1 s",
            ActionChains(driver).release().perform,
            selected,
        )
    finally:
        driver.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=512)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/monitor.db"
        begin = time.perf_counter()
        with Store(url) as store:
            store.migrate()
            fill(store, asked.results, asked.width)
        print(
            f"a store of {asked.results:,} results, filled in {time.perf_counter() - begin:.0f} s"
        )
        context = multiprocessing.get_context("spawn")
        port = context.Value("i", 0)
        server = context.Process(
            target=serve, args=(url, f"{folder}/web", asked.points, asked.width, port)
        )
        server.start()
        try:
            while not port.value:
                time.sleep(0.1)
            client = Client(f"http://127.0.0.1:{port.value}")
            client.get("/healthz")
            print(f"{'':44} {'median':>11}  {'slowest':>11}  wanted")
            client.timed("overview", "/", "< 300 ms")
            client.timed("timeline of 365 windows, page", "/features/1", "< 300 ms")
            client.timed(
                "timeline of 365 windows, its data", "/api/features/1/windows?n=365", "< 300 ms"
            )
            client.timed("window", "/features/1/windows/2026-01-01T00:00:00Z", "< 500 ms")
            readers(client, 200)
            begin = time.perf_counter()
            while json.loads(client.get(f"/api/features/1/map?{SPAN}"))["state"] != "ready":
                time.sleep(0.5)
            print(f"index of {asked.points:,} rows of {asked.width} numbers made in "
                  f"{time.perf_counter() - begin:.0f} s, once")  # fmt: skip
            client.timed("map, places of all points", f"/api/features/1/map/points/xy?{SPAN}", "")
            client.timed("lasso to table", f"/api/features/1/selection?{SPAN}&n=60"
                         "&polygon=-0.4,-0.4;0.4,-0.4;0.4,0.4;-0.4,0.4", "< 1 s")  # fmt: skip
            client.timed(
                "rows like another one, all compared", f"/api/features/1/search/like/7?{SPAN}", ""
            )
            in_browser(client.address)
            print(f"memory of the server, at most: {peak_mb(server.pid or 0):,.0f} MB (< 1,500 MB)")
        finally:
            server.terminate()
            server.join()


if __name__ == "__main__":
    main()
