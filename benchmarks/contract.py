"""The page under schemathesis: `python benchmarks/contract.py [--examples N] [--schemathesis PATH]`.

Serves the demo's judged project on loopback and lets schemathesis make up requests from the OpenAPI document:
none may be answered by 5xx, and each answer has to be of the type that the document says. It lives in an
environment of its own (`pipx install schemathesis`), as its plug-in would be loaded by every run of pytest.
Ends as it ends.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from waiting import wait_for

MONITOR = [sys.executable, "-m", "monitor"]
PORT = ["--port", "8479"]
ADDRESS = "http://127.0.0.1:8479"
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=40)
    parser.add_argument("--schemathesis", default=shutil.which("st"))
    parser.add_argument("--project", help="a folder with monitor.yaml, instead of the demo")
    asked = parser.parse_args()
    if asked.schemathesis is None:
        raise SystemExit("schemathesis is not there: pipx install schemathesis")
    with tempfile.TemporaryDirectory() as name:
        project = Path(asked.project or name)
        if not (project / "monitor.yaml").exists():
            # The demo's project, served once to be made.
            running = subprocess.Popen([*MONITOR, "demo", "--serve", *PORT, "--output", project])
            wait_for(f"{ADDRESS}/healthz")
            running.terminate()
            running.wait()
        token = made_token(project)
        server = subprocess.Popen([*MONITOR, "serve", *PORT], cwd=project)
        try:
            wait_for(f"{ADDRESS}/healthz")
            run = [
                asked.schemathesis, "run", f"{ADDRESS}/api/openapi.json",
                "--header", f"Authorization: Bearer {token}",
                "--checks", CHECKS, "--max-examples", str(asked.examples),
                "--phases", "examples,coverage,fuzzing", "--request-timeout", "60",
                # It fits a baseline each time.
                "--exclude-path", "/api/acts/accept",
            ]  # fmt: skip
            ended = subprocess.run(run, cwd=name, check=False)
        finally:
            server.terminate()
            server.wait()
    raise SystemExit(ended.returncode)


def made_token(project: Path) -> str:
    """Of a program, so that acts are tried, too."""
    create = [*MONITOR, "serve", "token", "create", f"schemathesis-{time.time():.0f}"]
    return subprocess.run(
        create, cwd=project, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
