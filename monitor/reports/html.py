"""A drift report as one HTML file that opens offline, and as a short piece for a notebook."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.drift import DISTANCES, MINIMUM_ROWS
from monitor.drift.battery import subtest_named
from monitor.drift.significance import telling
from monitor.reports import sentences, story, wording
from monitor.reports import timeline as charts
from monitor.reports.answer import answer
from monitor.reports.files import write_text
from monitor.reports.findings import Findings
from monitor.reports.json_report import FORMAT
from monitor.reports.notes import is_background
from monitor.reports.page import build_page
from monitor.reports.shifts import report_shifts
from monitor.reports.timeline import has_chart, timeline

if TYPE_CHECKING:
    from monitor.images import SourcePolicy

_DISTANCE_NAMES: Final = {distance.name: distance.title for distance in DISTANCES}
_CHART: Final = {
    "height": charts.HEIGHT,
    "left": charts.LEFT,
    "right": charts.RIGHT,
    "plot_foot": charts.PLOT_TOP + charts.PLOT_HEIGHT,
    "strip_top": charts.STRIP_TOP,
    "strip_height": charts.STRIP_HEIGHT,
}
_NOTEBOOK_ROWS, _NOTEBOOK_SHIFTS, _NOTEBOOK_WIDTH = 12, 4, 760
DISTRIBUTION: Final = "embedding-monitor"


def write_html(
    report: Findings,
    path: str | Path,
    *,
    policy: SourcePolicy | None = None,
    thumbnails: bool = True,
) -> Path:
    """Write the report as one HTML file and return its path.

    The page loads nothing, and its one script, which its own policy names by its hash, only draws maps and
    enlarges pictures: without it all is still told. Texts from the data are shown as texts, whatever they
    hold; images are decoded, shrunk and encoded anew.

    Parameters
    ----------
    report
        What is shown.
    path
        Where to write.
    policy
        From where example images may be fetched; by default as this process has embedded them, and where it
        has not, from public http(s) addresses.
    thumbnails
        False to fetch nothing: examples are then named, not shown.

    Raises
    ------
    ReportError
        If the file cannot be written.
    """
    page = build_page(report, policy=policy, thumbnails=thumbnails)
    template = environment().get_template("report.html.j2")
    script = environment().get_template("report.js").render()
    text = template.render(
        page=page, report=report, version=_version(), script_hash=hash_of(script)
    )
    return write_text(path, text)


def hash_of(script: str) -> str:
    """What a content security policy calls an inline script.

    >>> hash_of("alert(1)")
    'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def notebook_html(report: Findings) -> str:
    """The main shift, verdicts over time and the most drifted windows, for a notebook's cell."""
    parts = []
    for summary in report.features:
        windows = sentences.overall(w for w in report.windows if w.feature == summary.name)
        worst = sorted(windows, key=sentences.severity)[:_NOTEBOOK_ROWS]
        parts.append(
            {
                "summary": summary,
                "windows": windows,
                "chart": timeline(windows, _NOTEBOOK_WIDTH) if has_chart(windows) else None,
                "shown": [window for window in windows if window in worst],
            }
        )
    shift_parts = [
        {
            "feature": feature.name,
            "span": wording.period(shift.start, shift.end),
            "mark": sentences.mark(shift.lead.judgement),
            "answer": answer(shift, noun=feature.noun),
        }
        for shift, feature in report_shifts(report)[:_NOTEBOOK_SHIFTS]
    ]
    template = environment().get_template("notebook.html.j2")
    return template.render(report=report, features=parts, shifts=shift_parts)


@cache
def environment() -> Environment:
    # Always on: select_autoescape would go by the file's ending, and ".j2" is not on its list.
    environment = Environment(
        loader=PackageLoader("monitor.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": wording.count,
        "figure": wording.figure,
        "duration": wording.duration,
        "iso_period": wording.iso_period,
        "moment": wording.moment,
        "number": wording.number,
        "one_in": wording.one_in,
        "p": wording.p_value,
        "percent": wording.percent,
        "plain": wording.plain,
        "prose": wording.prose,
        "sentence": sentences.sentence,
        "signed": wording.signed,
    }
    environment.tests["background"] = is_background
    environment.globals |= {
        "CHART": _CHART,
        "FORMAT": FORMAT,
        "DISTANCE_NAMES": _DISTANCE_NAMES,
        "MINIMUM_ROWS": MINIMUM_ROWS,
        "sentences": sentences,
        "moved_quality": story.moved_quality,
        "period": wording.period,
        "plural": wording.plural,
        "points": wording.points,
        "story": story.story,
        "subtest": subtest_named,
        "telling": telling,
        "would_show": story.would_show,
    }
    return environment


def _version() -> str | None:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from a source tree
        return None
