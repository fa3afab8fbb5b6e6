"""The Grafana dashboard asks for gauges that there are, and leads into the page."""

from __future__ import annotations

import json
import re

from tests.documents import ROOT

from .conftest import DAY, FIRST, Served


def test_it_asks_for_gauges_that_there_are() -> None:
    board = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    text = json.dumps(board)
    asked = set(re.findall(r"monitor_[a-z_]+", text))
    source = (ROOT / "monitor" / "metrics" / "gauges.py").read_text(encoding="utf-8")
    assert len(asked) > 9
    assert asked <= set(re.findall(r'"(monitor_[a-z_]+)"', source))
    links = {panel["fieldConfig"]["defaults"]["links"][0]["url"] for panel in board["panels"]}
    assert links == {"${page}/features?name=${__field.labels.feature}&at=${__value.time}"}


def test_a_point_of_a_gauge_leads_to_its_window(served: Served) -> None:
    def led(query: str) -> str:
        answer = served.client.get(f"/features?{query}", follow_redirects=False)
        assert answer.status_code == 303
        return answer.headers["location"]

    evening = int((FIRST + 3 * DAY).timestamp() * 1_000) + 5
    assert led(f"name=photos&at={evening}") == "/features/1/windows/2026-03-04T00:00:00Z"
    assert led("name=photos") == "/features/1"
    assert served.client.get("/features?name=nobody").status_code == 404
