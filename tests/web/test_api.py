"""The API and the pages: what they say, what they refuse, and that no answer is a fault of ours."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from monitor.web.search import nearest, point_vector
from monitor.web.selection import inside

from .conftest import DAY, EVIL, FIRST, Served

DRIFTED = "2026-03-03T00:00:00Z"
SPAN = "since=2026-03-03T00:00:00Z&until=2026-03-04T00:00:00Z"
MAP = "/api/features/1/map"


def test_features_and_windows_tell_what_the_store_holds(served: Served) -> None:
    [feature] = served.json("/api/features")
    assert (feature["name"], feature["state"], feature["every"]) == ("photos", "drift", "1d")
    assert feature["needs_somebody"]
    both = served.json("/api/features/1/windows")
    windows, [episode] = both["windows"], both["episodes"]
    assert (episode["start"], episode["lead"]) == (DRIFTED, DRIFTED)
    assert (episode["n_windows"], episode["goes_on"]) == (1, False)
    assert [w["verdict"] == "drift" for w in windows] == [False, False, True, False]
    assert windows[2]["share"] == pytest.approx(0.4, abs=0.15)
    since = served.json("/api/features/1/windows?since=2026-03-02&until=2026-03-03T00:00:01Z")
    assert [w["start"][:10] for w in since["windows"]] == ["2026-03-02", "2026-03-03"]
    detail = served.json(f"/api/features/1/windows/{DRIFTED}")
    assert detail["story"][0][1][0] == "New content."
    assert detail["document"]["start"].startswith("2026-03-03")
    assert {s["segment"] for s in detail["segments"]} == {"de", "fr"}
    changed = served.json(f"/api/features/1/windows/{DRIFTED}/changed?n=5")
    assert len(changed) == 5
    picture = served.client.get(f"/thumb/{changed[0]['picture']}")
    assert picture.headers["content-type"] == "image/webp"


def test_pictures_are_ours_alone(served: Served) -> None:
    rows = served.json(f"/api/features/1/selection?{SPAN}&side=window&n=60")["rows"]
    good = next(row for row in rows if row["source"].endswith("3.png"))
    small = served.client.get(f"/thumb/{good['picture']}")
    large = served.client.get(f"/image/{good['picture']}")
    assert Image.open(io.BytesIO(small.content)).size == (224, 224)
    assert Image.open(io.BytesIO(large.content)).size == (90, 60)
    bad = next(row for row in rows if "onerror" in row["source"])
    refused = served.client.get(f"/thumb/{bad['picture']}")
    assert refused.status_code == 404
    assert refused.json()["reason"] in {"path_outside_roots", "not_found"}
    for hostile in ("0" * 32, "..%2f..%2fetc%2fpasswd", "%00", "http:%2f%2fevil.example%2fa.png"):
        assert served.client.get(f"/thumb/{hostile}").status_code == 404


def test_the_map_is_binary_columns_of_the_same_rows(served: Served) -> None:
    about = served.json(f"{MAP}?{SPAN}")
    n = about["n"]
    assert (about["state"], n, about["n_baseline"]) == ("ready", 299 + 59, 299)
    assert about["columns"] == ["country", "camera", "width"]

    def column(name: str, kind: type = np.uint16) -> np.ndarray:
        return np.frombuffer(
            served.client.get(f"{MAP}/{name}{'&' if '?' in name else '?'}{SPAN}").content, kind
        )

    xy = column("points/xy").reshape(2, n) / 32767.5 - 1
    side, cluster = column("points/side"), column("points/cluster")
    assert side.tolist() == [0] * 299 + [1] * 59
    # Rows of one cluster lie together: most of the variance of the places is between clusters.
    known = xy[:, :299]
    within = sum(
        known[:, cluster[:299] == k].var(axis=1).sum() * (cluster[:299] == k).mean()
        for k in range(3)
    )
    assert within < 0.1 * known.var(axis=1).sum()
    codes = served.json(f"{MAP}/codes?column=camera&{SPAN}")["names"]
    values = column("values?column=camera", np.uint8)
    frame = pd.read_parquet(served.site.rows._project.config.folder / "prod.parquet")
    third = frame[(frame.ts >= FIRST + 2 * DAY) & (frame.ts < FIRST + 3 * DAY)].iloc[1:]
    assert [codes[v] for v in values[299:]] == third.camera.tolist()


def test_a_selection_is_what_lies_inside_and_says_what_sets_it_apart(served: Served) -> None:
    n = served.json(f"{MAP}?{SPAN}")["n"]
    xy = np.frombuffer(served.client.get(f"{MAP}/points/xy?{SPAN}").content, np.uint16)
    xy = (xy.reshape(2, n) / 32767.5 - 1).astype(np.float32)
    phone = (
        np.frombuffer(served.client.get(f"{MAP}/values?column=camera&{SPAN}").content, np.uint8)
        == 1
    )
    x, y = xy[:, phone].mean(axis=1)
    corners = [(x - 0.2, y - 0.2), (x + 0.2, y - 0.2), (x + 0.2, y + 0.2), (x - 0.2, y + 0.2)]
    polygon = ";".join(f"{a:.4f},{b:.4f}" for a, b in corners)
    found = served.json(f"/api/features/1/selection?{SPAN}&polygon={polygon}")
    expected = inside(xy.T, corners)
    assert abs(found["n"] - expected.sum()) <= 1
    assert found["n_window"] >= 15
    assert found["traits"][0] | {"share": 0, "share_of_others": 0, "lift": 0} == {
        "what": "camera", "value": "phone", "share": 0, "share_of_others": 0, "lift": 0,
    }  # fmt: skip
    mask = served.client.get(f"/api/features/1/selection/points?{SPAN}&polygon={polygon}").content
    bits = np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little")[:n]
    assert bits.sum() == found["n"]
    hidden = served.json(f"/api/features/1/selection?{SPAN}&polygon={polygon}&hidden=side:1")
    assert (hidden["n"], hidden["n_window"]) == (found["n_baseline"], 0)

    address = f"/api/features/1/selection.{{}}?{SPAN}&column=camera&value=phone"
    csv = pd.read_csv(io.StringIO(served.client.get(address.format("csv")).text))
    listed = json.loads(served.client.get(address.format("json")).text)
    table = pd.read_parquet(io.BytesIO(served.client.get(address.format("parquet")).content))
    assert len(csv) == len(listed) == len(table) == phone.sum()
    assert csv["row"].tolist() == table["row"].tolist() == [row["row"] for row in listed]
    assert csv["row"].str.fullmatch(r"prod.parquet:\d+").all()
    assert set(csv["column.camera"]) == {"phone"}


def test_search_looks_at_every_row(served: Served) -> None:
    feature = served.site.features["photos"]
    from monitor.encoders import load_encoder

    wanted = load_encoder(feature.origin.encoder).encode_texts(["a red square"])[0]
    found = served.json(f"/api/features/1/search?{SPAN}&text=a+red+square&n=7")
    frame = pd.concat(
        pd.read_parquet(served.site.rows._project.config.folder / f"{name}.parquet")
        for name in ("train", "prod")
    )
    day = frame.ts.between(FIRST + 2 * DAY, FIRST + 3 * DAY, inclusive="left") | (frame.ts < FIRST)
    vectors = np.stack(frame[day & frame.vector.notna()].vector)
    alike = vectors @ wanted / np.linalg.norm(vectors, axis=1)
    assert [row["similarity"] for row in found] == pytest.approx(np.sort(alike)[::-1][:7], abs=1e-5)

    like = served.json(f"/api/features/1/search/like/{found[0]['point']}?{SPAN}&n=3")
    assert like[0]["point"] == found[0]["point"]
    assert like[0]["similarity"] == pytest.approx(1, abs=1e-5)
    buffer = io.BytesIO()
    Image.new("RGB", (50, 50), (190, 60, 50)).save(buffer, "PNG")
    headers = {"x-csrf": served.csrf}

    def upload(content: bytes, status: int) -> Any:
        answer = served.client.post(
            f"/api/features/1/search/image?{SPAN}&n=3",
            files={"file": ("a.png", content)},
            headers=headers,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    assert len(upload(buffer.getvalue(), 200)) == 3
    assert "no picture" in upload(b"GIF89a no", 422)["detail"]
    assert "no picture" in upload(b"", 422)["detail"]


def test_acts_are_kept_and_shown(served: Served) -> None:
    [alert] = served.json("/api/alerts")
    assert served.client.get(f"/alerts/{alert['key']}", follow_redirects=False).headers[
        "location"
    ] == (f"/features/1/windows/{DRIFTED}")
    served.act("acknowledge", {"alert_key": alert["key"], "note": EVIL})
    assert served.json("/api/alerts")[0]["acknowledged"]["who"] == "ann"
    assert not served.json("/api/features")[0]["needs_somebody"]
    window = {"feature": 1, "window_start": DRIFTED, "window_end": "2026-03-04T00:00:00Z"}
    served.act("mark", window | {"mark": "harmless", "note": "a sale"})
    marked = served.json("/api/features/1/windows")
    assert (marked["windows"][2]["mark"], marked["episodes"][0]["mark"]) == ("harmless",) * 2
    page = served.client.get(f"/features/1/windows/{DRIFTED}").text
    assert "a sale" in page
    assert EVIL not in page + served.client.get("/").text
    served.act("mark", window | {"mark": "unmarked"})
    assert served.json("/api/features/1/windows")["windows"][2]["mark"] is None
    assert "monitor baseline accept" in served.act("accept", window, 409)["detail"]
    backwards = window | {"window_end": "2026-03-02T00:00:00Z", "mark": "harmless"}
    assert "before" in served.act("mark", backwards, 422)["detail"]
    served.act("acknowledge", {"alert_key": "nobody"}, 404)


HOSTILE = [
    "/features/0",
    "/features/-1",
    "/features/99999999999999999999",
    "/features/1e3",
    "/features/..%2f..%2fetc",
    "/features/1/windows/0001-01-01",
    "/features/1/windows/9999-12-31T23:59:59-12:00",
    "/features/1/windows/x",
    "/features/1/windows/2026-03-03T00:00:01Z",
    "/features/2/map",
    "/features/1?since=%00",
    "/alerts/%27%20OR%201=1",
    "/api/features/1/windows?n=0",
    "/api/features/1/windows?n=99999999999999999999",
    "/api/features/1/windows?since=NaN",
    "/api/features/1/map",
    "/api/features/1/map?since=2026-03-03",
    f"{MAP}/points/vectors?{SPAN}",
    f"{MAP}/rows/999999?{SPAN}",
    f"{MAP}/rows/-1?{SPAN}",
    f"{MAP}/codes?column=no&{SPAN}",
    f"/api/features/1/selection?{SPAN}&polygon=1,2",
    f"/api/features/1/selection?{SPAN}&polygon=a,b;c,d;e,f",
    f"/api/features/1/selection?{SPAN}&polygon=nan,0;inf,0;0,1",
    f"/api/features/1/selection?{SPAN}&hidden=cluster:x",
    f"/api/features/1/selection?{SPAN}&polygon={'0,0;' * 700}0,1",
    f"/api/features/1/selection?{SPAN}&unknown=1",
    f"/api/features/1/selection?{SPAN}&column=camera&value=no",
    f"/api/features/1/selection.exe?{SPAN}",
    f"/api/features/1/search?{SPAN}&text=",
    f"/api/features/1/search?{SPAN}&text={'x' * 301}",
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/nothing",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_what_makes_no_sense_is_refused_in_a_sentence(served: Served, path: str) -> None:
    for accept in ("application/json", "text/html"):
        answer = served.client.get(path, headers={"accept": accept})
        assert 400 <= answer.status_code < 500, answer.text[:300]
        assert "Traceback" not in answer.text
        assert "site-packages" not in answer.text


def test_a_fault_of_ours_tells_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi.testclient import TestClient

    def broken(*_: object) -> None:
        raise RuntimeError("the secret of /etc/passwd")

    monkeypatch.setattr("monitor.web.answers.open_alerts", broken)
    client = TestClient(
        served.client.app, base_url="http://localhost", raise_server_exceptions=False
    )
    answer = client.get("/api/alerts")
    assert (answer.status_code, answer.json()) == (
        500,
        {"detail": "a fault of monitor's: its log says more"},
    )


def test_every_get_of_the_openapi_document_answers(served: Served) -> None:
    """A small walk over the document: what it names is there, and odd values are no fault of ours."""
    document = served.json("/api/openapi.json")
    gets = [path for path, methods in document["paths"].items() if "get" in methods]
    assert len(gets) > 15
    for path in gets:
        values = ("1", "0", "-1", quote(EVIL, safe=""), "2026-03-03", "xy", "%F0%9F%92%A9")
        # A path without a place for one is asked once.
        for filled in dict.fromkeys(re.sub(r"\{[a-z]+\}", value, path) for value in values):
            for query in (
                "",
                f"?{SPAN}",
                f"?{SPAN}&text=a&column=camera&n=1",
                "?since=1&until=%FF&n=x",
            ):
                status = served.client.get(filled + query).status_code
                assert status < 500, (filled, query)


def test_more_like_this_needs_no_model(served: Served) -> None:
    from monitor.store import lines

    with served.site.store.reading() as connection:
        [feature] = lines.known_features(connection)
    from monitor.web.clouds import Clouds

    clouds = Clouds(served.site)
    try:
        cloud = clouds.get(feature, FIRST, FIRST + 4 * DAY, patience=60)
        best = nearest(cloud, point_vector(cloud, 5), 2, side="baseline")
        assert best[0].point == 5
        assert len(cloud.parts) == 5
    finally:
        clouds.close()
