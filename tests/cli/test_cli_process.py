"""The command as a process of its own: what it loads, and how it exits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import monitor

HEAVY = ("torch", "pandas", "pyarrow", "scipy", "sklearn", "numpy", "pydantic", "yaml", "PIL")


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(monitor.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-m", "monitor", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": root, "MONITOR_DEBUG": "", **environment},
    )


def test_help_loads_nothing_heavy(tmp_path):
    code = (
        "import sys\n"
        "from monitor.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(monitor.__file__).parent.parent,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "baseline" in done.stdout


def test_version_and_exit_codes(tmp_path):
    version = run("--version", cwd=tmp_path)
    assert version.returncode == 0
    assert monitor.__version__ in version.stdout
    missing = run("drift", "--json", cwd=tmp_path)
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
    assert "monitor init" in json.loads(missing.stdout)["error"]["message"]
    assert run("dirft", cwd=tmp_path).returncode == 2


def test_drift_in_a_process(fitted):
    done = run("drift", "--json", "--fail-on-alert", cwd=fitted)
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["has_drift"] is True
    assert done.stderr == ""


def test_a_reader_that_goes_away(tmp_path):
    root = str(Path(monitor.__file__).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "schema"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
