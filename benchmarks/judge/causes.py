"""How often is the first word of a reason the right one? Run as `python -m judge.causes` in benchmarks/.

Windows of images that were changed in a known way are judged and explained through the verbs. For each
change the tables count which kind came first among the windows that alarm, how many of the rows listed as
changed are, how far the estimated share is from the truth, and how many of a group's pictures belong to it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import monitor
from judge.changes import TECHNICAL, Photos, Window, small_images, windows
from monitor.drift import ShiftKind, Verdict
from monitor.reports import WindowDrift

ALPHA = 1 / 730
"""Of one window a day and one false alarm a year, shared with the pooled tests."""
N_PICTURES = 12


@dataclass
class Tally:
    """What was found in the windows of one change."""

    kind: str
    share: float
    n: int = 0
    first: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    n_wrong_second: int = 0
    shares: list[float] = field(default_factory=list)
    precisions: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)

    def add(self, window: WindowDrift, truth: Window) -> None:
        """Count one window."""
        self.n += 1
        if not window.kinds:
            return
        first, *others = (str(kind) for kind in window.kinds)
        self.first[first] += 1
        self.n_wrong_second += any(kind != self.kind for kind in others)
        if window.change is None or window.judgement.verdict is not Verdict.DRIFT:
            return
        self.causes[window.change.cause] += bool(window.change.cause)
        self.shares.append(window.change.share)
        listed = [truth.is_changed[int(row.example.row)] for row in window.changed]
        if listed and truth.is_changed.any():
            self.precisions.append(float(np.mean(listed)))
        if first == ShiftKind.NEW_CONTENT and window.groups:
            # Of the largest group, as of twelve pictures: a group of fewer rows shows fewer.
            shown = [truth.is_changed[int(e.row)] for e in window.groups[0].examples[:N_PICTURES]]
            self.pictures.append(N_PICTURES * float(np.mean(shown)))

    @property
    def n_alarms(self) -> int:
        return sum(self.first.values())

    @property
    def is_share_near(self) -> list[bool]:
        """The estimate within 0.05 or a quarter of the truth."""
        near = max(0.05, self.share / 4)
        return [abs(share - self.share) <= near for share in self.shares]


def tallies(photos: Photos, draws: range, only: str) -> dict[str, Tally]:
    """The windows of all draws, counted by their change."""
    baseline = photos.baseline()
    found: dict[str, Tally] = {}
    for draw in draws:
        for label, window in windows(photos, np.random.default_rng(draw)).items():
            if only not in label:
                continue
            (judged,) = monitor.detect_drift(window.frame, baseline, alpha=ALPHA).windows
            tally = found.setdefault(label, Tally(window.kind, window.share))
            tally.add(judged, window)
        print(f"draw {draw}", flush=True)
    return found


def table(found: dict[str, Tally]) -> list[str]:
    """The confusion table and what is said of the rows, in Markdown."""
    lines = [
        "| change | alarms | right first word | other first words | wrong second | cause, most often |",
        "|---|---:|---:|---|---:|---|",
    ]
    for label, tally in found.items():
        others = ", ".join(f"{k} {n}" for k, n in tally.first.most_common() if k != tally.kind)
        cause = ", ".join(f"{name} {n}" for name, n in tally.causes.most_common(1))
        right = _rate(tally.first[tally.kind], tally.n_alarms)
        second = _rate(tally.n_wrong_second, tally.n_alarms)
        lines.append(
            f"| {label} | {tally.n_alarms} of {tally.n} | {right} | {others} | {second} | {cause} |"
        )
    lines += [
        "",
        "| change | truth | share, median (5 to 95 %) | near | precision of rows | pictures of 12 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for label, tally in found.items():
        if not tally.shares or np.isnan(tally.share):
            continue
        low, middle, high = np.quantile(tally.shares, [0.05, 0.5, 0.95])
        near = _rate(sum(tally.is_share_near), len(tally.is_share_near))
        precision = f"{np.mean(tally.precisions):.2f}" if tally.precisions else "–"
        pictures = f"{np.mean(tally.pictures):.1f}" if tally.pictures else "–"
        lines.append(
            f"| {label} | {tally.share:.2f} | {middle:.2f} ({low:.2f} to {high:.2f}) | {near} "
            f"| {precision} | {pictures} |"
        )
    n_alarms = sum(tally.n_alarms for tally in found.values())
    n_right = sum(tally.first[tally.kind] for tally in found.values())
    return [*lines, "", f"right first word in {n_right} of {n_alarms} windows that alarm"]


def _rate(k: int, n: int) -> str:
    return f"{k / n:.0%}" if n else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--first", type=int, default=0, help="the first draw")
    parser.add_argument("--changed", type=int, default=400, help="images that are changed")
    parser.add_argument("--set", choices=("photos", "small-images"), default="photos")
    parser.add_argument("--work", type=Path, help="a folder in which vectors are kept")
    parser.add_argument("--only", default="", help="changes whose name holds this")
    options = parser.parse_args()
    of_set = Photos.read if options.set == "photos" else small_images
    photos = of_set(options.changed, options.work)
    print(f"{len(TECHNICAL)} changes of {options.changed} images are embedded", flush=True)
    draws = range(options.first, options.first + options.draws)
    print("\n".join(table(tallies(photos, draws, options.only))))


if __name__ == "__main__":
    main()
