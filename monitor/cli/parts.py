"""An embed in pieces: which of them are done, and where their rows lie until all are."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Final

from monitor.cache.store import UNFINISHED_JOB_SECONDS
from monitor.cli.failed_rows import FailedRow
from monitor.files import replacing

_NAME: Final = "manifest.jsonl"


@dataclass(frozen=True)
class Piece:
    """Neighbouring rows of a file.

    Parameters
    ----------
    start, stop
        Their positions, half-open.
    part
        The Parquet file that takes them with their vectors, whole or not at all.
    """

    start: int
    stop: int
    part: Path


@dataclass(frozen=True)
class Manifest:
    """What is done of an embed in pieces; it outlives a kill.

    Beside the table that is made stands a folder, with a Parquet file for each piece that is done, and
    `manifest.jsonl`: in the first line what the job is, and then the failures of one piece in each.

    Parameters
    ----------
    folder
        Where all this is.
    pieces
        In the order of the rows.
    failed
        By the position of each piece that is done, its rows without a vector.
    """

    folder: Path
    pieces: Sequence[Piece]
    failed: dict[int, tuple[FailedRow, ...]] = field(default_factory=dict)

    @classmethod
    def open(cls, target: Path, job: str, *, n_rows: int, piece_rows: int) -> Manifest:
        """That of the table `target`: as far as the same job has come, or else a new one.

        Parameters
        ----------
        job
            Another one if the rows, the model or the policy are others.
        n_rows, piece_rows
            How many rows there are, and in a piece; what a job was begun with stands.
        """
        folder = target.absolute().with_name(f".{target.stem}.parts")
        lines = _lines(folder / _NAME)
        head: Mapping[str, Any] = {
            "job": job,
            "n_rows": n_rows,
            "piece_rows": piece_rows,
            "begun": time.time(),
        }
        begun = lines[0] if lines else {}
        is_same = all(begun.get(key) == head[key] for key in ("job", "n_rows"))
        if is_same and 0 <= head["begun"] - begun["begun"] < UNFINISHED_JOB_SECONDS:
            head = begun
        else:
            shutil.rmtree(folder, ignore_errors=True)
            with replacing(folder / _NAME) as partial:
                partial.write_text(json.dumps(head) + "\n", encoding="utf-8")
            lines = []
        size = head["piece_rows"]
        pieces = [
            Piece(start, min(start + size, n_rows), folder / f"{number:06}.parquet")
            for number, start in enumerate(range(0, n_rows, size))
        ]
        done = {
            line["piece"]: tuple(FailedRow(*row) for row in line["failed"]) for line in lines[1:]
        }
        there = {number: failed for number, failed in done.items() if pieces[number].part.is_file()}
        return cls(folder, pieces, there)

    @property
    def left(self) -> list[int]:
        """The positions of the pieces that are to be done."""
        return [number for number in range(len(self.pieces)) if number not in self.failed]

    def add(self, number: int, failed: Sequence[FailedRow]) -> None:
        """A piece is done, and these rows of it have no vector."""
        self.failed[number] = tuple(failed)
        line = {"piece": number, "failed": [astuple(row) for row in failed]}
        with (self.folder / _NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """The table is made: nothing of this is needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _lines(path: Path) -> list[Mapping[str, Any]]:
    """The lines that were written whole."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue  # cut off by a kill
    return lines
