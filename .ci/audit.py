"""pip-audit over the installed packages; a notice where its index cannot be asked.

Exit code 1 if a package has a known vulnerability.
"""

from __future__ import annotations

import json
import subprocess
import sys

MOST_SECONDS = 60
COMMAND = [
    *(sys.executable, "-m", "pip_audit", "--skip-editable"),
    *("--format", "json", "--progress-spinner", "off", "--timeout", "5"),
]


def skipped(why: str) -> None:
    """Say that nothing was audited, which is no failure of this code."""
    print(f"pip-audit: skipped, its index cannot be asked from here: {why}")


def main() -> int:
    """Audit, and tell."""
    try:
        done = subprocess.run(
            COMMAND, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        skipped(f"no answer within {MOST_SECONDS} s")
        return 0
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        skipped(lines[-1][:200])
        return 0
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        skipped(f"it knows none of the {len(packages)} packages")
        return 0
    n_found = 0
    for package in audited:
        for fault in package["vulns"]:
            n_found += 1
            fixed = ", ".join(fault["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {fault['id']}, fixed in {fixed}")
    print(f"pip-audit: {len(audited)} packages audited, {n_found} known vulnerabilities")
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.exit(main())
