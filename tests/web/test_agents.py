"""A real client of the Model Context Protocol asks the same store."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from monitor.web import Access
from monitor.web.access import Sessions
from monitor.web.clouds import Clouds
from monitor.web.pictures import Pictures
from monitor.web.services import Services

from .conftest import Served

DAY = {"feature": "photos", "start": "2026-03-03T00:00:00Z"}
READS = {"list_features", "list_windows", "describe_window", "changed_rows", "list_alerts"}


def asked(served: Served, *calls: tuple[str, dict[str, Any]], may_act: bool = False) -> list[Any]:
    """The tools' names, and what each call gave."""
    # Takes more than a second, which only the worker of these tests spends.
    from mcp import Client

    from monitor.web.agents import agent_server

    site = served.site
    pictures, clouds = Pictures(site.folder, site.policy), Clouds(site)
    services = Services(site, Access("ann"), Sessions(), pictures, clouds)

    async def talk() -> list[Any]:
        async with Client(agent_server(services, "ann", may_act=may_act)) as client:
            listed = await client.list_tools()
            return [
                {tool.name for tool in listed.tools},
                *[await client.call_tool(name, arguments) for name, arguments in calls],
            ]

    try:
        return anyio.run(talk)
    finally:
        clouds.close()
        pictures.close()


def test_an_agent_reads_features_windows_and_changed_rows(served: Served) -> None:
    names, features, windows, window, changed = asked(
        served,
        ("list_features", {}),
        ("list_windows", {"feature": "photos", "n": 2}),
        ("describe_window", DAY),
        ("changed_rows", {**DAY, "n": 3}),
    )
    assert names == READS
    assert [f["name"] for f in features.structured_content["result"]] == ["photos"]
    assert [w["verdict"] for w in windows.structured_content["windows"]] == ["drift", "no drift"]
    assert window.structured_content["story"][0][1][0] == "New content."
    assert len(changed.structured_content["result"]) == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("list_windows", {"feature": "phots"}), "there is no feature 'phots'"),
        (("describe_window", {**DAY, "start": "1999-01-01T00:00:00Z"}), "no judged window"),
        (("mark_windows", {**DAY, "end": "2026-03-04T00:00:00Z", "mark": "harmless"}), "nknown"),
    ],
)
def test_what_an_agent_may_not_ask_is_said(
    served: Served, call: tuple[str, dict[str, Any]], words: str
) -> None:
    try:
        _, answer = asked(served, call)
    except Exception as error:
        said = str(error)
    else:
        assert answer.is_error
        said = str(answer.content)
    assert words in said


def test_an_agent_that_may_act_signs_as_an_agent(served: Served) -> None:
    span = {**DAY, "end": "2026-03-04T00:00:00Z"}
    names, marked, taken_back = asked(
        served,
        ("mark_windows", {**span, "mark": "harmless", "note": "a sale"}),
        ("mark_windows", {**span, "mark": "unmarked"}),
        may_act=True,
    )
    assert names == READS | {"mark_windows", "acknowledge_alert"}
    assert marked.structured_content["who"] == "ann's agent"
    assert not taken_back.is_error
