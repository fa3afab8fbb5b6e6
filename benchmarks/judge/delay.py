"""Windows to the alarm after a lasting 2 % shift, at one false alarm a year of daily windows.

    cd benchmarks
    python -m judge.delay run --work <folder> --environments <folder>
    python -m judge.delay table --work <folder>
    python -m judge.delay dated --work <folder>       # ours alone, by baselines with and without times

A deployment is a baseline of 5,000, 60 days of 1,000 rows without drift, and twice 60 days with 2 % of the
rows from a new, or a grown, cluster. Peers are used daily: each alarms above the score that their quiet days,
of all deployments together, pass once in 365. Ours decides by its own rule (`ours.first_alarm`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from judge.cases import QUIET, Setting, write_case
from judge.document import fill
from judge.methods import METHODS, OURS, Method, missing, result_path, run_all
from judge.rates import threshold_at
from judge.shifts import World

SETTING = Setting("lasting", 5000, 1000, n_quiet=60, n_shifted=60)
LEVEL = 1 / 365
SHIFTS = ("new cluster", "re-weighted")
DATED_DAYS = 24
FEASIBLE = (
    OURS,
    "evidently-model",
    "evidently-distance",
    "alibi-classifier",
    "nannyml-js",
    "nannyml-chi2",
    "nannyml-pca",
    "whylogs-chi2",
    "jsd-fixed",
)
"""A threshold at 1/365 needs a thousand quiet windows: the others take seconds for each."""


def run(methods: list[Method], deployments: range, work: Path, environments: Path) -> None:
    """Score the deployments that have no result yet; their files are large and not kept."""
    for number in deployments:
        todo = [
            (method, out)
            for method in methods
            if missing(method, environments) is None
            and not (out := result_path(work / "results", method, SETTING.name, number)).exists()
        ]
        if not todo:
            continue
        case = write_case(SETTING, number, work / "cases", work / "cache")
        pending = [
            (m, {"method": m.name, "case": str(case), "out": str(out), "n_default": 0})
            for m, out in todo
            if m.name != OURS
        ]
        run_all(pending, environments, work)
        for method, out in todo:
            if method.name == OURS:
                _run_ours(case, out)
        case.unlink()
        print(f"deployment {number}: done", flush=True)


def _run_ours(case: Path, out: Path) -> None:
    from judge.ours import first_alarm, fitted

    with np.load(case, allow_pickle=False) as arrays:
        kinds, windows, rows = arrays["kinds"], arrays["windows"], arrays["baseline"]
    baseline = fitted(rows)
    days = {kind: first_alarm(baseline, windows[kinds == kind]) for kind in dict.fromkeys(kinds)}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"first_alarm": {str(kind): day for kind, day in days.items()}}))


def dated(deployments: range) -> str:
    """Days to our alarm by baselines that know their days, and by one that does not; the Markdown."""
    from judge.ours import first_alarm, fitted
    from judge.streams import fitted as fitted_on_days

    waits: dict[tuple[str, str], list[float]] = {}
    for number in deployments:
        rng = np.random.default_rng([number, 0x64656C])
        world = World.draw(rng)
        rows = world.rows(5_000, rng)
        days = [world.rows(1_000, rng) for _ in range(28)]
        baselines = {
            "5,000 rows without times": fitted(rows, number),
            "5,000 rows of 28 days": fitted_on_days(np.array_split(rows, 28), number),
            "28 days of 1,000 rows": fitted_on_days(days, number),
        }
        for shift in SHIFTS:
            windows = [world.rows(1_000, rng, shift, 0.02) for _ in range(DATED_DAYS)]
            for name, baseline in baselines.items():
                wait = first_alarm(baseline, windows)
                waits.setdefault((name, shift), []).append(np.inf if wait is None else wait)
    lines = [f"| baseline | {' | '.join(f'{shift}: median days | found' for shift in SHIFTS)} |"]
    lines.append("|---" + "|---:|---:" * len(SHIFTS) + "|")
    for name in dict.fromkeys(name for name, _ in waits):
        cells = []
        for shift in SHIFTS:
            of_shift = np.array(waits[name, shift])
            middle = float(np.median(of_shift))
            cells.append(f"{middle:.0f}" if np.isfinite(middle) else f"> {DATED_DAYS}")
            cells.append(f"{np.isfinite(of_shift).mean():.0%}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def first_above(scores: list[float], threshold: float) -> int | None:
    """The number of windows up to and with the first score above the threshold, or None."""
    above = np.flatnonzero(np.asarray(scores, dtype=np.float64) > threshold)
    return int(above[0]) + 1 if len(above) else None


def summary(work: Path) -> dict[str, Any]:
    """Per method: the day of the first alarm in every sequence, None where there was none."""
    found: dict[str, Any] = {}
    for method in METHODS.values():
        files = sorted(result_path(work / "results", method, SETTING.name, 0).parent.glob("*.json"))
        results = [json.loads(f.read_text()) for f in files]
        if results:
            found[method.name] = _days(results)
    return found


def _days(results: list[dict[str, Any]]) -> dict[str, list[int | None]]:
    if "first_alarm" in results[0]:
        return {
            kind: [r["first_alarm"][kind] for r in results] for kind in results[0]["first_alarm"]
        }
    sequences = [
        {
            kind: [float(s) for s, k in zip(r["scores"], r["kinds"], strict=True) if k == kind]
            for kind in dict.fromkeys(r["kinds"])
        }
        for r in results
    ]
    quiet = [score for sequence in sequences for score in sequence[QUIET]]
    value = threshold_at(quiet, LEVEL).value
    return {
        kind: [first_above(sequence[kind], value) for sequence in sequences]
        for kind in sequences[0]
    }


def table(found: dict[str, Any]) -> str:
    """The Markdown: median day of the alarm, and the share of sequences that have one."""
    horizon = SETTING.n_shifted
    kinds = SHIFTS
    head = ["judge", *(f"{k}: {what}" for k in kinds for what in ("median days", "found"))]
    head += [f"quiet: alarm within {SETTING.n_quiet} days", "sequences"]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for name, days in found.items():
        cells = []
        for kind in kinds:
            waits = np.array([np.inf if day is None else day for day in days[kind]])
            middle = np.median(waits)
            cells += [
                f"{middle:.0f}" if np.isfinite(middle) else f"> {horizon}",
                f"{np.isfinite(waits).mean():.0%}",
            ]
        quiet = [day is not None for day in days[QUIET]]
        cells += [f"{np.mean(quiet):.0%}", str(len(quiet))]
        lines.append(f"| {METHODS[name].label} | " + " | ".join(cells) + " |")
    left_out = [m.label for m in METHODS.values() if m.name not in found]
    if left_out:
        lines += ["", f"Not run, too slow for a threshold at 1/365: {', '.join(left_out)}."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "table", "dated"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--environments", type=Path)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(FEASIBLE))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--deployments", type=int, default=20)
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.deployments)
    if arguments.what == "dated":
        print(dated(numbers))
    elif arguments.what == "run":
        run(
            [METHODS[name] for name in arguments.methods],
            numbers,
            arguments.work,
            arguments.environments or arguments.work / "environments",
        )
    else:
        found = summary(arguments.work)
        (arguments.work / "delay.json").write_text(json.dumps(found, indent=1))
        text = table(found)
        print(text)
        fill("delay", text)


if __name__ == "__main__":
    main()
