"""An executor whose workers are this process, but for what travels to them and back."""

from __future__ import annotations

# What travels is our own.
import pickle  # noqa: TID251
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.embedding import LocalExecutor


@dataclass(frozen=True)
class CuttingExecutor(LocalExecutor):
    """Cuts files into pieces of `rows` rows.

    Parameters
    ----------
    largest
        The most bytes that an outcome took on its way back.
    """

    rows: int = 3
    largest: list[int] = field(default_factory=list)

    def piece_rows(self, n_rows: int, batch_size: int) -> int:
        return self.rows

    def spread(
        self, work: Any, pieces: Sequence[Any], *, cache: object = None
    ) -> Iterator[tuple[int, Any]]:
        # As they may be done: not in their order.
        for number in reversed(range(len(pieces))):
            travelled, piece = pickle.loads(pickle.dumps((work, pieces[number])))
            back = pickle.dumps(travelled(piece, LocalExecutor(processes=0), None))
            self.largest.append(len(back))
            yield number, pickle.loads(back)
