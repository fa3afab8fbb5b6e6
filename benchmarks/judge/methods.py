"""The judges of the table, and how each is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.peers.install import QUIET, interpreter

_ADAPTERS = Path(__file__).parent / "peers"
OURS = "ours"


@dataclass(frozen=True)
class Method:
    """One judge.

    Parameters
    ----------
    name
        In result files.
    label
        In the table.
    rule
        What the tool does when nobody calibrates it.
    adapter
        The file that runs it.
    tool
        Whose environment it needs; None for the interpreter that runs the benchmark.
    is_slow
        Costs about a second a window, or more, at large windows: run at 200 rows only.
    """

    name: str
    label: str
    rule: str
    adapter: str
    tool: str | None = None
    is_slow: bool = False


METHODS = {
    method.name: method
    for method in (
        Method(OURS, "**monitor**", "p ≤ 0.05", "ours_adapter.py"),
        Method(
            "evidently-model", "Evidently, model", "AUC > 0.55", "evidently_peer.py", "evidently"
        ),
        Method(
            "evidently-mmd",
            "Evidently, MMD",
            "bootstrap",
            "evidently_peer.py",
            "evidently",
            is_slow=True,
        ),
        Method(
            "evidently-ratio",
            "Evidently, ratio",
            "> 20 % of columns",
            "evidently_peer.py",
            "evidently",
            is_slow=True,
        ),
        Method(
            "evidently-distance",
            "Evidently, distance",
            "> 0.2",
            "evidently_peer.py",
            "evidently",
        ),
        Method(
            "alibi-mmd",
            "alibi-detect, MMD",
            "p < 0.05, 100 permutations",
            "alibi_detect_peer.py",
            "alibi-detect",
        ),
        Method(
            "alibi-ks",
            "alibi-detect, KS",
            "p < 0.05, Bonferroni",
            "alibi_detect_peer.py",
            "alibi-detect",
            is_slow=True,
        ),
        Method(
            "alibi-classifier",
            "alibi-detect, classifier",
            "p < 0.05, 5 folds",
            "alibi_detect_peer.py",
            "alibi-detect",
        ),
        Method(
            "nannyml-js",
            "NannyML, JS on clusters",
            "3 standard deviations",
            "nannyml_peer.py",
            "nannyml",
        ),
        Method("nannyml-chi2", "NannyML, χ² on clusters", "p < 0.05", "nannyml_peer.py", "nannyml"),
        Method(
            "nannyml-pca",
            "NannyML, PCA reconstruction",
            "3 standard deviations",
            "nannyml_peer.py",
            "nannyml",
        ),
        Method("whylogs-chi2", "whylogs, χ² on clusters", "p < 0.05", "whylogs_peer.py", "whylogs"),
        Method("frouros-mmd", "Frouros, MMD", "none", "frouros_peer.py", "frouros", is_slow=True),
        Method("energy", "energy distance", "none", "two_sample_peer.py"),
        Method("mmd-fuse", "MMD-FUSE", "none", "two_sample_peer.py", is_slow=True),
        Method("linear", "linear classifier, AUC", "none", "two_sample_peer.py"),
        Method("knn", "kNN classifier, AUC", "none", "two_sample_peer.py"),
        Method("driftlens", "DriftLens, per batch", "none", "two_sample_peer.py"),
        Method("jsd-fixed", "JS distance of clusters", "> 0.1", "jsd_peer.py"),
    )
}


def missing(method: Method, environments: Path) -> str | None:
    """Why a judge cannot be run, or None."""
    if method.tool is None:
        return None
    note = environments / f"{method.tool}.failed"
    if note.is_file():
        return note.read_text().strip()
    if not interpreter(environments, method.tool).exists():
        return f"not installed: run peers/install.py {environments}"
    return None


def run_all(pending: list[tuple[Method, dict[str, Any]]], environments: Path, work: Path) -> None:
    """Do the jobs (see `peers/adapter.py`), those of one tool in one process of its own environment.

    A tool that breaks down is named, and the others go on.
    """
    by_adapter: dict[str, list[tuple[Method, dict[str, Any]]]] = defaultdict(list)
    for method, job in pending:
        by_adapter[method.adapter].append((method, job))
    for adapter, group in by_adapter.items():
        tool = group[0][0].tool
        python = interpreter(environments, tool) if tool else Path(sys.executable)
        listed = work / f"jobs-{adapter}-{os.getpid()}.json"
        listed.write_text(json.dumps([job for _, job in group]))
        done = subprocess.run(
            [python, "-W", "ignore", _ADAPTERS / adapter, listed], env=os.environ | QUIET
        )
        if done.returncode:
            print(f"{adapter} failed with exit code {done.returncode}", flush=True)
        listed.unlink()


def result_path(results: Path, method: Method, setting: str, deployment: int) -> Path:
    """Where the scores of one deployment are kept."""
    return results / setting / method.name / f"{deployment:03d}.json"
