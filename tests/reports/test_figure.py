"""The chart as a file of its own."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from PIL import Image
from selenium import webdriver

from monitor.errors import InvalidInputError, ReportError
from monitor.reports import DriftReport, figure
from tests.conftest import requests_of, show

from .samples import detected_report, explained_report, joined, threshold_report

SVG = "{http://www.w3.org/2000/svg}"


def test_it_is_one_svg_with_all_that_the_page_shows(tmp_path: Path) -> None:
    path = detected_report().to_svg(tmp_path / "chart.svg")
    root = ElementTree.parse(path).getroot()

    assert root.tag == f"{SVG}svg"
    assert path.read_text(encoding="utf-8").startswith("<?xml")
    shapes = {use.get("href") for use in root.iter(f"{SVG}use")}
    assert shapes == {"#i-drift", "#i-together", "#i-no-drift", "#i-inconclusive"}
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    assert {shape[1:] for shape in shapes if shape} <= ids
    texts = "".join(root.itertext())
    assert "18 of 49 windows drifted" in texts
    assert "the shift, from when it began" in texts


def test_nothing_in_it_acts_or_points_elsewhere(tmp_path: Path) -> None:
    evil = "</text></svg><script>alert(1)</script>\x00\u202e\ud83d"
    report = detected_report()
    windows = tuple(replace(window, feature=evil) for window in report.windows)
    path = DriftReport((replace(report.features[0], name=evil),), windows).to_svg(
        tmp_path / "a.svg"
    )

    root = ElementTree.parse(path).getroot()
    assert {element.tag for element in root.iter()} <= {
        SVG + name
        for name in (
            "svg", "title", "style", "defs", "path", "circle", "rect", "g", "text", "tspan", "use",
            "line",
        )
    }  # fmt: skip
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", path.read_text("utf-8"))


def test_features_stand_below_one_another(tmp_path: Path) -> None:
    report = joined(explained_report(), threshold_report())
    both = ElementTree.parse(report.to_svg(tmp_path / "both.svg")).getroot()
    one = ElementTree.parse(report.to_svg(tmp_path / "one.svg", feature="points")).getroot()

    assert float(both.get("height", 0)) == 2 * float(one.get("height", 0))
    assert "photos" not in "".join(one.itertext())


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="has no feature 'other'; it has photos"):
        explained_report().to_svg(tmp_path / "a.svg", feature="other")
    with pytest.raises(InvalidInputError, match="no window to draw"):
        DriftReport((), ()).to_svg(tmp_path / "a.svg")


def test_a_browser_draws_it_by_itself(browser: webdriver.Chrome, tmp_path: Path) -> None:
    path = detected_report().to_svg(tmp_path / "chart.svg")
    show(browser, path.as_uri())

    assert browser.get_log("browser") == []
    assert requests_of(browser) <= {path.as_uri(), "about:blank"}
    overlaps = browser.execute_script(
        "const boxes = [...document.querySelectorAll('text')].map(t => t.getBoundingClientRect());"
        "return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => a.left < b.right && "
        "b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)).length"
    )
    assert overlaps == 0
    inside = browser.execute_script(
        "const page = document.documentElement.getBoundingClientRect();"
        "return [...document.querySelectorAll('text')].every(t => {"
        "const box = t.getBoundingClientRect(); return box.left >= 0 && box.right <= page.right; })"
    )
    assert inside


def test_a_png_shows_what_the_svg_shows(tmp_path: Path) -> None:
    svg, png = (tmp_path / name for name in ("chart.svg", "chart.png"))
    assert detected_report().to_png(png, feature="points") == png
    with Image.open(png) as image:
        assert image.format == "PNG"
        drawn = np.asarray(image.convert("RGB")).astype(int)
    assert drawn.shape[1] == 2_000
    assert (drawn[0, 0] == 255).all()
    # The marks' colours, and the ink of the heading, which is text.
    for colour in ((0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)):
        assert (np.abs(drawn - colour).sum(axis=2) < 12).sum() > 200
    assert (drawn[40:76, :300].sum(axis=2) < 300).sum() > 300
    root = ElementTree.parse(detected_report().to_svg(svg)).getroot()
    assert drawn.shape[0] == 2 * int(root.get("height", "0"))


def test_without_a_font_no_silent_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a machine that has none: later versions take another one for one that is missing.
    without_fonts = functools.partial(resvg_py.svg_to_bytes, skip_system_fonts=True)
    monkeypatch.setattr(resvg_py, "svg_to_bytes", without_fonts)
    figure._font.cache_clear()
    with pytest.raises(ReportError, match=r"none of DejaVu Sans, .*: install one"):
        detected_report().to_png(tmp_path / "chart.png")
    figure._font.cache_clear()
