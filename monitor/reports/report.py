"""The drift report: what was found, and its forms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from monitor.reports import json_report
from monitor.reports.changed import changed_frame
from monitor.reports.episodes import episodes, episodes_frame
from monitor.reports.files import write_text
from monitor.reports.findings import Findings, WindowDrift
from monitor.reports.frame import to_frame
from monitor.reports.markdown import markdown
from monitor.terminals import fitting

if TYPE_CHECKING:
    import pandas as pd

    from monitor.images import SourcePolicy


@dataclass(frozen=True, eq=False)
class DriftReport(Findings):
    """What was found, per feature and window.

    Its values are those of `Findings`.

    Examples
    --------
    >>> import numpy as np, pandas as pd, monitor
    >>> feature = monitor.VectorFeature(name="points", column="vector", n_clusters=2)
    >>> rows = np.random.default_rng(0).normal(size=(400, 8)) + np.eye(8)[0] * 3
    >>> baseline = monitor.fit_baseline(pd.DataFrame({"vector": list(rows[:300])}), feature)
    >>> report = monitor.detect_drift(pd.DataFrame({"vector": list(rows[300:])}), baseline)
    >>> report.to_frame()[["feature", "n_rows", "verdict"]].values.tolist()
    [['points', 100, 'no drift']]
    """

    def to_frame(self) -> pd.DataFrame:
        """One row per feature and window, and per segment where asked for, as a pandas DataFrame.

        Columns: `feature`, `window_start`, `window_end` (UTC), `segment`, `n_rows`, `n_failed`,
        `failure_rate`; `jsd`, `psi`, `hellinger`, `chi2`, `wasserstein` and distances of your own, each
        with `_noise_floor` (its mean without drift), `_noise_ceiling` (its 1 − alpha quantile without
        drift), `_low` and `_high` (an interval of what it is without noise); `p_value`, `alpha`,
        `verdict`, `reason`, `changed_share`, `detectable_share`, `design_effect`, `began` (of the episode
        that holds the window, see `episodes`), `kinds`, `cause`, `names` (of what changed),
        `n_rows_needed`, `novel_share`, `most_repeated`.
        """
        return to_frame(self)

    def episodes(self) -> pd.DataFrame:
        """One row per shift, from its first window to its last, as a pandas DataFrame.

        Each drifted window with a time lies in one of them.

        Columns: `feature`, `start`, `end` (UTC), `n_windows` (with rows), `n_alone` (how many of them drifted
        by themselves; the others show it only together), `goes_on` (whether the last window belongs to it),
        `changed_share` (the largest of its windows), `kinds`.
        """
        return episodes_frame(episodes(self))

    def changed_rows(self, window: WindowDrift | None = None) -> pd.DataFrame:
        """The rows that changed, the likeliest of each window first, as a pandas DataFrame.

        Columns: `feature`, `window_start`, `window_end`, `timestamp` (UTC), `row` (its index label, as text),
        `source`, `score` (how likely it is one of those that changed, in [0, 1]), `group` and `group_name`
        (rows that are alike), `distance` to the nearest rows of the baseline, `nearest_row` and
        `nearest_source` of the row of the baseline that it is most like. At most 1,000 rows a window, as many
        as are expected to hold one wrong in twenty: of changed rows that resemble known ones most are not
        listed, and `window.change.share` counts them, too.

        Parameters
        ----------
        window
            One of `windows`; all of them by default.
        """
        return changed_frame(self.windows if window is None else [window])

    def to_json(self, path: str | Path | None = None) -> str:
        """The whole report as JSON text, and in the file `path` if given."""
        return json_report.to_json(self, path)

    @classmethod
    def from_json(cls, path: str | Path) -> Self:
        """Read a report that `to_json` wrote."""
        return json_report.read_json(path, cls)

    def to_html(
        self, path: str | Path, *, policy: SourcePolicy | None = None, thumbnails: bool = True
    ) -> Path:
        """Write the report as one HTML file that opens offline, and return its path.

        Parameters
        ----------
        path
            Where to write.
        policy
            From where example images may be fetched; by default as this process has embedded them, and where
            it has not, from public http(s) addresses.
        thumbnails
            False to fetch nothing: examples are then named, not shown.
        """
        from monitor.reports.html import write_html

        return write_html(self, Path(path), policy=policy, thumbnails=thumbnails)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The answer in a few lines of Markdown, for a chat or a pull request; in `path` if given."""
        text = markdown(self)
        if path is not None:
            write_text(path, text + "\n")
        return text

    def to_svg(self, path: str | Path, *, feature: str | None = None) -> Path:
        """Write the chart of one feature, or of all below one another, as an SVG file; return its path."""
        from monitor.reports.figure import write_svg

        return write_svg(self, path, feature=feature)

    def to_png(self, path: str | Path, *, feature: str | None = None) -> Path:
        """Write the same chart as a PNG file of 2,000 pixels' width; return its path."""
        from monitor.reports.figure import write_png

        return write_png(self, path, feature=feature)

    def __repr__(self) -> str:
        """A few lines: the answer, each shift, and where the rest is."""
        from monitor.reports.text import in_short

        return fitting(in_short(self))

    def _repr_html_(self) -> str:
        from monitor.reports.html import notebook_html

        return notebook_html(self)
