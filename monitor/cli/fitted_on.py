"""Which files a baseline was fitted on, to notice when they have changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.files import replacing

if TYPE_CHECKING:
    from monitor.sources import DataTable


def record(path: Path, files: Sequence[DataTable], folder: Path) -> None:
    """Write down what `files` are beside the baseline at `path`; by their names seen from `folder`."""
    states = {
        name: {"state": file.state()[1:], "sha256": file.digest()}
        for name, file in _named(files, folder).items()
    }
    with replacing(_record_of(path)) as partial:
        partial.write_text(json.dumps({"version": 1, "files": states}, indent=1), encoding="utf-8")


def changed(path: Path, files: Sequence[DataTable], folder: Path) -> list[str]:
    """What of `files` is not as it was when the baseline at `path` was fitted, in words.

    A baseline that was saved from Python has no record, and nothing is said of it.
    """
    try:
        before: dict[str, Any] = json.loads(_record_of(path).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    now = _named(files, folder)
    changes = [f"{name} is not there any more" for name in before if name not in now]
    changes += [f"{name} is new" for name in now if name not in before]
    for name, file in now.items():
        known = before.get(name)
        # A copy has another time and the same rows.
        if known and known["state"] != file.state()[1:] and known["sha256"] != file.digest():
            changes.append(f"{name} has changed")
    return changes


def _named(files: Sequence[DataTable], folder: Path) -> dict[str, DataTable]:
    """The files by names that do not change with the working folder."""
    home = f"{folder.resolve().as_posix()}/"
    return {file.path.removeprefix(home): file for file in files}


def _record_of(path: Path) -> Path:
    return path.with_suffix(".files.json")
