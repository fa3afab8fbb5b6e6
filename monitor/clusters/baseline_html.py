"""A baseline in a few lines, for a prompt and for the output of a notebook's cell."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from monitor.redaction import shorten

if TYPE_CHECKING:
    from monitor.clusters.baseline import Baseline

_MOST_CLUSTERS = 24


def in_short(baseline: Baseline) -> str:
    """One line: a dataclass would print every array and example."""
    return (
        f"<Baseline {shorten(baseline.name)!r}, {baseline.n_rows:,} rows in {baseline.n_clusters} clusters, "
        f"id {baseline.id}>"
    )


def as_html(baseline: Baseline) -> str:
    """Its facts and the sizes of its clusters; no text from the data acts."""
    counts = baseline.histogram.counts
    total, largest = max(int(counts.sum()), 1), max(int(counts.max(initial=0)), 1)
    failed = sum(baseline.histogram.failures.values())
    times = baseline.time_range
    facts = {
        "Rows": f"{baseline.n_rows:,}" + (f", {failed:,} more without a vector" if failed else ""),
        "Times": "none" if times is None else f"{times[0]} to {times[1]}",
        "Encoder": baseline.fingerprint or "not known",
        "Clusters": f"{baseline.n_clusters}, {baseline.choice or 'as given'}",
        "Id": baseline.id,
    }
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{escape(shorten(text))}"
        "</td></tr>"
        for name, text in facts.items()
    )
    names = [f", {name.text}" if name.text else "" for name in baseline.names]
    names += [""] * (len(counts) - len(names))
    bars = "".join(
        f"<tr><th style='text-align:left'>cluster {i}{escape(shorten(names[i]))}</th>"
        "<td style='text-align:left'>"
        f"<span style='display:inline-block;height:9px;width:{160 * n / largest:.0f}px;"
        f"background:#0072b2;border-radius:2px;margin-right:8px'></span>{n / total:.1%}</td></tr>"
        for i, n in enumerate(counts.tolist()[:_MOST_CLUSTERS])
    )
    more = len(counts) - _MOST_CLUSTERS
    if more > 0:
        bars += f"<tr><td colspan='2' style='text-align:left'>and {more} smaller clusters</td></tr>"
    return (
        "<div class='monitor-baseline'><p style='font-size:16px;font-weight:600;margin:0'>"
        f"Baseline of {escape(shorten(baseline.name))}</p><table>{rows}{bars}</table></div>"
    )
