"""A virtual environment per tool, so that none of them sets what another, or ours, is measured with.

    python benchmarks/judge/peers/install.py <folder>

What cannot be installed, or does not import, is noted in `<folder>/<tool>.failed` and reported in the table.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
IMPORTS = {
    "evidently": "evidently.legacy.metrics.data_drift.embedding_drift_methods",
    "alibi-detect": "alibi_detect.cd",
    "nannyml": "nannyml",
    "whylogs": "whylogs.viz.drift.column_drift_algorithms",
    "frouros": "frouros.detectors.data_drift",
}
QUIET = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
"""Keeps the tools from sending usage data."""


def interpreter(folder: Path, tool: str) -> Path:
    """The Python of a tool's environment."""
    return folder / tool / "bin" / "python"


def install(folder: Path, tool: str) -> str | None:
    """Make the environment of `tool` below `folder`; None, or why it cannot be used."""
    python = interpreter(folder, tool)
    if not python.exists():
        venv.create(folder / tool, with_pip=True)
    listed = REQUIREMENTS / f"{tool}.txt"
    failure = _failure([python, "-m", "pip", "install", "--quiet", "--requirement", listed])
    if failure:
        return failure
    return _failure([python, "-W", "ignore", "-c", f"import {IMPORTS[tool]}"])


def _failure(command: list[str | Path]) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | QUIET)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or ["no message"])[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tool", choices=sorted(IMPORTS), action="append")
    arguments = parser.parse_args()
    failed = False
    for tool in arguments.tool or IMPORTS:
        failure = install(arguments.folder, tool)
        note = arguments.folder / f"{tool}.failed"
        note.unlink(missing_ok=True)
        if failure:
            note.write_text(failure + "\n")
            failed = True
        print(f"{tool}: {failure or 'ready'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
