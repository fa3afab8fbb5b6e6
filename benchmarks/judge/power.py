"""Power at equal measured level: every judge on the same windows, its threshold set on windows without drift.

    cd benchmarks
    python -m judge.power run --work <folder> --environments <folder>     # resumable; --help for parts of it
    python -m judge.power table --work <folder>                           # fills docs/benchmarks.md

`run` makes deployments (see `cases.py`) and lets the judges score them, in rounds, so that a run that is cut
short has fewer deployments of everything. Results that exist are kept.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from judge.cases import QUIET, SETTINGS, Setting, write_case
from judge.document import TITLES, fill
from judge.methods import METHODS, Method, missing, result_path, run_all
from judge.rates import binomial_error, threshold_at

LEVEL = 0.05
ROUND = 5
"""Deployments of each setting in a round."""
N_DEFAULT = 2
"""Quiet windows a deployment on which slow permutation and bootstrap rules are run."""


def run(
    settings: list[Setting],
    methods: list[Method],
    deployments: range,
    work: Path,
    environments: Path,
) -> None:
    """Score the deployments that have no result yet."""
    for start in range(deployments.start, deployments.stop, ROUND):
        numbers = range(start, min(start + ROUND, deployments.stop))
        pending: list[tuple[Method, dict[str, Any]]] = []
        for setting in settings:
            for method in methods:
                if method.is_slow and setting.n_window != 200:
                    continue
                for number in numbers:
                    out = result_path(work / "results", method, setting.name, number)
                    if missing(method, environments) is None and not out.exists():
                        case = write_case(setting, number, work / "cases", work / "cache")
                        pending.append((method, _job(method, setting, case, out)))
        run_all(pending, environments, work)
        print(f"deployments {numbers.start} to {numbers.stop - 1}: done", flush=True)


def _job(method: Method, setting: Setting, case: Path, out: Path) -> dict[str, Any]:
    n_default = N_DEFAULT if setting.name == "vectors-2000-200" else 0
    return {"method": method.name, "case": str(case), "out": str(out), "n_default": n_default}


def summary(work: Path, environments: Path | None = None) -> dict[str, Any]:
    """Per setting and method: the rates of each column, each with its number of windows."""
    found: dict[str, Any] = {}
    for setting in SETTINGS.values():
        found[setting.name] = {}
        for method in METHODS.values():
            files = sorted(
                result_path(work / "results", method, setting.name, 0).parent.glob("*.json")
            )
            if files:
                found[setting.name][method.name] = _rates(
                    [json.loads(f.read_text()) for f in files]
                )
            elif environments and (reason := missing(method, environments)):
                found[setting.name][method.name] = {"missing": reason}
    return found


def _rates(results: list[dict[str, Any]]) -> dict[str, Any]:
    scores: dict[str, list[float]] = defaultdict(list)
    own: list[bool] = []
    for result in results:
        for kind, score, alarm in zip(
            result["kinds"], result["scores"], result["alarms"], strict=True
        ):
            scores[kind].append(float(score))
            if kind == QUIET and alarm is not None:
                own.append(alarm)
    threshold = threshold_at(scores[QUIET], LEVEL)
    columns: dict[str, list[float]] = defaultdict(list)
    for kind, values in scores.items():
        if kind != QUIET:
            columns[kind.split("|")[0]] += values
    return {
        "n_deployments": len(results),
        "n_quiet": len(scores[QUIET]),
        "own_rate": float(np.mean(own)) if own else None,
        "n_own": len(own),
        "seconds": float(np.median([result["seconds_per_window"] for result in results])),
        "versions": results[0]["versions"],
        "columns": {name: [threshold.rate(v), len(v)] for name, v in columns.items()},
        "details": {
            kind: [threshold.rate(v), len(v)] for kind, v in scores.items() if kind != QUIET
        },
    }


LEAST_QUIET = 100
"""A threshold from fewer quiet windows says too little of the level."""


def tables(found: dict[str, Any]) -> str:
    """The Markdown of all settings."""
    parts = []
    for name, title in TITLES.items():
        if any("columns" in entry for entry in found.get(name, {}).values()):
            parts.append(f"### {title}\n\n{_table(found[name])}")
    return "\n\n".join(parts)


def _table(entries: dict[str, Any]) -> str:
    scored = {name: entry for name, entry in entries.items() if "columns" in entry}
    done = {name: entry for name, entry in scored.items() if entry["n_quiet"] >= LEAST_QUIET}
    columns = list(dict.fromkeys(c for entry in done.values() for c in entry["columns"]))
    shown = {
        name: [entry["columns"].get(c, [math.nan, 0])[0] for c in columns]
        for name, entry in done.items()
    }
    for values in shown.values():
        values.append(float(np.mean(values)))
    best = np.nanmax(np.array(list(shown.values())), axis=0)
    head = [
        "judge",
        *columns,
        "mean",
        "own rule",
        "its false alarms",
        "quiet windows",
        "s a window",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for name, entry in entries.items():
        method = METHODS[name]
        if "missing" in entry:
            lines.append(f"| {method.label} | could not be run: {entry['missing']} |")
            continue
        if name not in done:
            continue
        cells = [
            _percent(value, is_best=value >= top - 5e-3)
            for value, top in zip(shown[name], best, strict=True)
        ]
        own = entry["own_rate"]
        cells += [
            method.rule,
            "–" if own is None else f"{own:.0%} of {entry['n_own']}",
            str(entry["n_quiet"]),
            f"{entry['seconds']:.2g}",
        ]
        lines.append(f"| {method.label} | " + " | ".join(cells) + " |")
    n_quiet = min(entry["n_quiet"] for entry in done.values())
    n_cell = min(n for entry in done.values() for _, n in entry["columns"].values())
    error = (
        f"Standard error: of the level, {binomial_error(LEVEL, n_quiet):.1%} ({n_quiet} quiet windows "
        f"or more); of a cell, at most {binomial_error(0.5, n_cell):.0%} ({n_cell} windows or more)."
    )
    if slow := [METHODS[name].label for name in scored if name not in done]:
        error += f" Too slow to be scored on {LEAST_QUIET} quiet windows: {', '.join(slow)}."
    lines += ["", error]
    return "\n".join(lines)


def _percent(value: float, *, is_best: bool) -> str:
    if math.isnan(value):
        return "–"
    return f"**{100 * value:.0f}**" if is_best else f"{100 * value:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--work", type=Path, required=True, help="cases, vectors and results")
    parser.add_argument("--environments", type=Path, help="folder that peers/install.py filled")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--first", type=int, default=0, help="number of the first deployment")
    parser.add_argument("--deployments", type=int, default=25, help="how many")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(
            [SETTINGS[name] for name in arguments.settings],
            [METHODS[name] for name in arguments.methods],
            range(arguments.first, arguments.first + arguments.deployments),
            arguments.work,
            arguments.environments or arguments.work / "environments",
        )
    else:
        found = summary(arguments.work, arguments.environments)
        (arguments.work / "power.json").write_text(json.dumps(found, indent=1))
        text = tables(found)
        print(text)
        fill("power", text)


if __name__ == "__main__":
    main()
