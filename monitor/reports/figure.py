"""The chart of a report as an SVG file of its own."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import InvalidInputError
from monitor.reports import answer
from monitor.reports.files import write_text
from monitor.reports.html import environment
from monitor.reports.report import DriftReport
from monitor.reports.timeline import HEIGHT, timeline

_WIDTH, _MARGIN, _HEADING = 1000, 16, 74


def write_svg(report: DriftReport, path: str | Path, *, feature: str | None = None) -> Path:
    """Write the charts of the report as one SVG file, one below the other, and return its path.

    The file stands alone: no script, no style sheet, no font or image from elsewhere.

    Parameters
    ----------
    report
        What is drawn: the windows of all rows, without segments.
    path
        Where to write.
    feature
        Only this feature; all by default.

    Raises
    ------
    InvalidInputError
        If the report has no such feature, or no window at all.
    ReportError
        If the file cannot be written.
    """
    names = [summary.name for summary in report.features]
    if feature is not None and feature not in names:
        raise InvalidInputError(
            f"the report has no feature {feature!r}; it has {', '.join(names) or 'none'}"
        )
    windows = {
        name: answer.overall(w for w in report.windows if w.feature == name)
        for name in names
        if feature in (None, name)
    }
    if not any(windows.values()):
        raise InvalidInputError("the report has no window to draw: judge some rows first")
    panels = [
        {
            "name": name,
            "answer": answer.headline_of(of),
            "chart": timeline(of, _WIDTH - 2 * _MARGIN),
            "alpha": of[0].judgement.alpha,
        }
        for name, of in windows.items()
        if of
    ]
    template = environment().get_template("figure.svg.j2")
    size = {"width": _WIDTH, "margin": _MARGIN, "heading": _HEADING, "step": _HEADING + HEIGHT + 12}
    return write_text(path, template.render(panels=panels, **size))
