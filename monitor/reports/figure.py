"""The chart of a report as an SVG or PNG file of its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from monitor.errors import InvalidInputError, ReportError
from monitor.reports import sentences
from monitor.reports.files import write_bytes, write_text
from monitor.reports.findings import Findings
from monitor.reports.html import environment
from monitor.reports.timeline import HEIGHT, timeline

_WIDTH, _MARGIN, _HEADING = 1000, 16, 74
_FONTS: Final = (
    *("DejaVu Sans", "Liberation Sans", "Noto Sans", "Roboto", "Ubuntu", "Cantarell"),
    *("Arial", "Helvetica Neue", "Helvetica", "Segoe UI", "Verdana"),
)


def write_svg(report: Findings, path: str | Path, *, feature: str | None = None) -> Path:
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
    return write_text(path, _drawn(report, feature))


def write_png(report: Findings, path: str | Path, *, feature: str | None = None) -> Path:
    """Write the same chart as a PNG file of 2,000 pixels' width, for mail and chats, and return its path.

    Raises
    ------
    InvalidInputError
        If the report has no such feature, or no window at all.
    ReportError
        If the file cannot be written, or this machine has no font to write its text with.
    """
    import resvg_py

    svg = _drawn(report, feature)
    return write_bytes(path, resvg_py.svg_to_bytes(svg, zoom=2, sans_serif_family=_font()))


@cache
def _font() -> str:
    """The first of `_FONTS` that is on this machine; a missing one leaves text out without a word."""
    import resvg_py

    def picture(text: str, font: str) -> bytes:
        body = f'<text y="10" font-family="sans-serif">{text}</text>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12">{body}</svg>'
        return resvg_py.svg_to_bytes(svg, sans_serif_family=font)

    for font in _FONTS:
        if picture("a", font) != picture(" ", font):
            return font
    raise ReportError(
        f"a PNG needs a font for its text, and this machine has none of {', '.join(_FONTS)}: install one "
        "(on Debian the package fonts-dejavu-core), or write an .svg"
    )


def _drawn(report: Findings, feature: str | None) -> str:
    """The charts as one SVG text."""
    names = [summary.name for summary in report.features]
    if feature is not None and feature not in names:
        raise InvalidInputError(
            f"the report has no feature {feature!r}; it has {', '.join(names) or 'none'}"
        )
    windows = {
        name: sentences.overall(w for w in report.windows if w.feature == name)
        for name in names
        if feature in (None, name)
    }
    if not any(windows.values()):
        raise InvalidInputError("the report has no window to draw: judge some rows first")
    panels = [
        {
            "name": name,
            "answer": sentences.headline_of(of),
            "chart": timeline(of, _WIDTH - 2 * _MARGIN),
            "alpha": of[0].judgement.alpha,
        }
        for name, of in windows.items()
        if of
    ]
    template = environment().get_template("figure.svg.j2")
    size = {"width": _WIDTH, "margin": _MARGIN, "heading": _HEADING, "step": _HEADING + HEIGHT + 12}
    return template.render(panels=panels, **size)
