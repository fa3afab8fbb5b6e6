"""Scripts in processes of their own, forked from one that has loaded what they all load.

Four seconds of imports each: pandas, SciPy, scikit-learn, SQLAlchemy, the scheduler. What is loaded on the
way in, and what must not be, is tested elsewhere, in processes that start from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

LOADED = [
    "tests.alerts.deliverers",
    "monitor.cli.run",
    "monitor.schedule",
    "pandas",
    "sklearn.cluster",
]
ROOT = str(Path(__file__).parents[1])


def forks() -> ForkServerContext:
    """Starts processes; its server, which has no threads and nothing of this process, runs once a worker."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    before, folder = dict(os.environ), os.getcwd()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.chdir(ROOT)  # where it finds the tests' modules
    try:
        forkserver.ensure_running()
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
    return context


def run_script(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What `python PATH WORDS…` would print and return."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = forks().Process(target=_main, args=(path, words, out, err, dict(os.environ)))
        process.start()
        process.join()
        code = process.exitcode
        assert code is not None
        return subprocess.CompletedProcess([path, *words], code, out.read_text(), err.read_text())


def _main(path: Path, words: list[str], out: Path, err: Path, environment: dict[str, str]) -> None:
    for target, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(target, os.O_WRONLY | os.O_CREAT), stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(path), *words]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name="__main__")
