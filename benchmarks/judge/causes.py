"""How often is the first word of a reason the right one? Run as `python -m judge.causes` in benchmarks/.

Windows of images that were changed in a known way are judged and explained through the verbs. For each
change the tables count which kind came first among the windows that alarm, how many of the rows listed as
changed are, how far the estimated share is from the truth, whether its interval holds that, and how many
of a group's pictures belong to it. Draws take turns with several baselines, which are kept with the vectors
in `--work`; what was counted is kept in `--counts`, a line a draw, so that a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import monitor
from judge.changes import Window, windows
from judge.image_sets import SETS, ImageSet
from monitor.drift import ShiftKind, Verdict
from monitor.reports import WindowDrift

ALPHA = 1 / 730
"""Of one window a day and one false alarm a year, shared with the pooled tests."""
N_PICTURES = 12

Count = dict[str, Any]
"""What was found in one window: its change, the kinds, the cause, share, whether its interval holds
the truth, precision and pictures."""


def counted(label: str, truth: Window, window: WindowDrift) -> Count:
    """What a window's reasons say beside the truth; None stands for what is not asked there."""
    count: Count = {
        "change": label,
        "kind": str(truth.kind),
        "truth": None if math.isnan(truth.share) else truth.share,
        "kinds": [str(kind) for kind in window.kinds],
        "cause": "",
        "share": None,
        "is_held": None,
        "n_listed": 0,
        "precision": None,
        "pictures": None,
    }
    if window.change is None or window.judgement.verdict is not Verdict.DRIFT:
        return count
    count["cause"] = window.change.cause
    count["share"] = window.change.share
    if count["truth"] is not None:
        count["is_held"] = window.change.low <= count["truth"] <= window.change.high
    listed = [bool(truth.is_changed[int(row.example.row)]) for row in window.changed]
    count["n_listed"] = len(listed)
    if listed and truth.is_changed.any():
        count["precision"] = float(np.mean(listed))
    if window.kinds and window.kinds[0] is ShiftKind.NEW_CONTENT and window.groups:
        # Of the largest group, as of twelve pictures: a group of fewer rows shows fewer.
        shown = [truth.is_changed[int(e.row)] for e in window.groups[0].examples[:N_PICTURES]]
        count["pictures"] = N_PICTURES * float(np.mean(shown))
    return count


def draw(
    images: ImageSet, seed: int, baselines: Mapping[int, tuple[monitor.Baseline, Any]], only: str
) -> list[Count]:
    """The windows of one draw, counted."""
    baseline, others = baselines[seed % len(baselines)]
    return [
        counted(label, window, monitor.detect_drift(window.frame, baseline, alpha=ALPHA).windows[0])
        for label, window in windows(images, others, seed).items()
        if only in label
    ]


def by_change(counts: Iterable[Count]) -> dict[str, list[Count]]:
    """Counts by their change, in the order of the first draw."""
    sorted_out: dict[str, list[Count]] = defaultdict(list)
    for count in counts:
        sorted_out[count["change"]].append(count)
    return dict(sorted_out)


def table(counts: Iterable[Count]) -> list[str]:
    """The confusion table and what is said of the rows, in Markdown."""
    changes = by_change(counts)
    lines = [
        "| change | alarms | right first word | other first words | wrong second | cause, most often |",
        "|---|---:|---:|---|---:|---|",
    ]
    n_alarms = n_right = 0
    for label, of_change in changes.items():
        alarms = [count for count in of_change if count["kinds"]]
        right = [count for count in alarms if count["kinds"][0] == count["kind"]]
        wrong = Counter(c["kinds"][0] for c in alarms if c["kinds"][0] != c["kind"])
        second = [c for c in alarms if any(kind != c["kind"] for kind in c["kinds"][1:])]
        causes = Counter(count["cause"] for count in alarms if count["cause"])
        n_alarms, n_right = n_alarms + len(alarms), n_right + len(right)
        lines.append(
            f"| {label} | {len(alarms)} of {len(of_change)} | {_rate(len(right), len(alarms))} "
            f"| {', '.join(f'{kind} {n}' for kind, n in wrong.most_common())} "
            f"| {_rate(len(second), len(alarms))} "
            f"| {', '.join(f'{name} {n}' for name, n in causes.most_common(1))} |"
        )
    lines += [
        "",
        "| change | truth | share (5 to 95 %) | near | its interval | listed | precision | pictures |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for label, of_change in changes.items():
        told = [c for c in of_change if c["share"] is not None and c["truth"] is not None]
        if told:
            lines.append(_of_rows(label, told))
    return [
        *lines,
        "",
        f"right first word in {n_right} of {n_alarms} windows that alarm",
    ]


def _of_rows(label: str, counts: list[Count]) -> str:
    truth = counts[0]["truth"]
    shares = [count["share"] for count in counts]
    low, middle, high = np.quantile(shares, [0.05, 0.5, 0.95])
    # Within 0.05 or a quarter of the truth.
    near = [abs(share - truth) <= max(0.05, truth / 4) for share in shares]
    held = [count["is_held"] for count in counts]
    listed = np.mean([count["n_listed"] for count in counts])
    precision = _mean([c["precision"] for c in counts if c["precision"] is not None], 2)
    pictures = _mean([c["pictures"] for c in counts if c["pictures"] is not None], 1)
    return (
        f"| {label} | {truth:.2f} | {middle:.2f} ({low:.2f} to {high:.2f}) "
        f"| {_rate(sum(near), len(near))} | {_rate(sum(held), len(held))} | {listed:.0f} "
        f"| {precision} | {pictures} |"
    )


def _mean(values: list[float], digits: int) -> str:
    """With its standard error."""
    if not values:
        return "–"
    error = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else math.nan
    return f"{np.mean(values):.{digits}f} ± {error:.{digits}f}"


def _rate(k: int, n: int) -> str:
    """With the standard error of a share that is pulled to the middle by two draws (Agresti & Coull 1998)."""
    if not n:
        return "–"
    pulled = (k + 2) / (n + 4)
    return f"{k / n:.0%} ± {math.sqrt(pulled * (1 - pulled) / (n + 4)) * 100:.0f}"


def _kept(counts: Path) -> dict[int, list[Count]]:
    if not counts.is_file():
        return {}
    lines = [json.loads(line) for line in counts.read_text().splitlines()]
    return {line["draw"]: line["counts"] for line in lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--first", type=int, default=0, help="the first draw")
    parser.add_argument("--baselines", type=int, default=4, help="that draws take turns with")
    parser.add_argument("--changed", type=int, default=400, help="images that are changed")
    parser.add_argument("--set", choices=tuple(SETS), default="clothes")
    parser.add_argument("--work", type=Path, help="a folder in which vectors are kept")
    parser.add_argument("--counts", type=Path, help="a file in which counts are kept")
    parser.add_argument("--only", default="", help="changes whose name holds this")
    options = parser.parse_args()
    done = {} if options.counts is None else _kept(options.counts)
    with TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        images = SETS[options.set](options.changed, work)
        baselines = {n: images.baseline(n) for n in range(options.baselines)}
        for seed in range(options.first, options.first + options.draws):
            if seed in done:
                continue
            done[seed] = draw(images, seed, baselines, options.only)
            if options.counts is not None:
                with options.counts.open("a") as file:
                    print(json.dumps({"draw": seed, "counts": done[seed]}), file=file)
    wanted = range(options.first, options.first + options.draws)
    print("\n".join(table(count for seed in wanted for count in done[seed])))


if __name__ == "__main__":
    main()
