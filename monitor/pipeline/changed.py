"""Which rows of a window changed, and what vanished: as rows and groups that a person can look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Example, neighbours
from monitor.drift import ChangedGroup, ChangedRow, RowEvidence
from monitor.drift.causes.groups import group_rows, middle_first
from monitor.pipeline.examples import RowExamples
from monitor.pipeline.naming import name_of_rows
from monitor.pipeline.placed import PlacedRows, PlacedWindow

MOST_ROWS: Final = 1_000
N_PICTURES: Final = 12
_LEAST_VANISHED: Final = 0.02


@dataclass(frozen=True, eq=False)
class ChangedRowsOf:
    """The rows of one window, beside the baseline's known rows."""

    placed: PlacedRows
    examples: RowExamples
    window: PlacedWindow

    def listed(
        self, evidence: RowEvidence, *, is_technical: bool
    ) -> tuple[tuple[ChangedRow, ...], tuple[ChangedGroup, ...]]:
        """The rows that changed, the likeliest first, and their groups.

        Beside each stands what it is most like in the baseline; where a technical change has a name, with
        this undone: a darkened shirt is more like a dark mug than like any bright shirt.
        """
        changed = evidence.changed
        at, groups = self.grouped(evidence)
        if len(at) == 0:
            return (), ()
        known = self.placed.baseline.known.examples
        few = at[:MOST_ROWS]
        likest = evidence.parts.likest if is_technical else None
        nearest = changed.nearest[few] if likest is None else self._undone(few, likest.name)
        examples = self.examples.at(self.window.rows[few], changed.distances[few])
        rows = tuple(
            ChangedRow(
                example,
                float(changed.scores[row]),
                int(group),
                known[like] if known else None,
            )
            for example, row, group, like in zip(
                examples, few, groups[: len(few)], nearest, strict=True
            )
        )
        return rows, tuple(
            self._group(at[groups == group], len(at), evidence)
            for group in range(int(groups.max()) + 1)
        )

    def _undone(self, rows: NDArray[np.int64], name: str) -> NDArray[np.int64]:
        """The known row that each is most like once the change of that name is undone."""
        baseline = self.placed.baseline
        movements = baseline.movements
        assert movements is not None  # or no change had a name
        vectors = self.placed.scaled[self.window.at][rows]
        undone = vectors - movements.vectors[movements.names.index(name)]
        return neighbours(undone, baseline.known.vectors)[1]

    def grouped(self, evidence: RowEvidence) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which rows of the window changed, the likeliest first, and the number of each one's group."""
        at = evidence.changed.rows
        if len(at) == 0:
            return at, at
        vectors = self.placed.scaled[self.window.at][at]
        return at, group_rows(vectors, random_state=self.placed.baseline.random_state)

    def vanished(self, evidence: RowEvidence) -> tuple[ChangedGroup, ...]:
        """Known rows whose surroundings the window does not visit, in groups."""
        baseline = self.placed.baseline
        known = baseline.known
        if not known.examples or not evidence.parts.gone.any() or not evidence.parts.is_loss:
            return ()
        gone = np.flatnonzero(evidence.parts.gone)
        groups = group_rows(known.vectors[gone], random_state=baseline.random_state)
        vanished = []
        for group in range(int(groups.max()) + 1):
            rows = gone[groups == group]
            first = rows[middle_first(known.vectors[rows])][:N_PICTURES]
            share = len(rows) / len(known)
            if share >= _LEAST_VANISHED:
                name = name_of_rows(known.vectors[rows], baseline)
                pictures = tuple(known.examples[row] for row in first)
                vanished.append(ChangedGroup(share, pictures, name.text, name.words, len(rows)))
        return tuple(vanished)

    def _group(self, rows: NDArray[np.int64], n_listed: int, evidence: RowEvidence) -> ChangedGroup:
        values = {
            column: cells[self.window.rows[rows]] for column, cells in self.placed.columns.items()
        }
        vectors = self.placed.scaled[self.window.at][rows]
        name = name_of_rows(vectors, self.placed.baseline, values)
        # More rows may have changed than are sure enough to be listed.
        share = len(rows) / n_listed * evidence.changed.share
        return ChangedGroup(share, self._pictures(rows, evidence), name.text, name.words, len(rows))

    def _pictures(self, rows: NDArray[np.int64], evidence: RowEvidence) -> tuple[Example, ...]:
        """The surest, and of equally sure ones those in the group's middle."""
        changed = evidence.changed
        middle = rows[middle_first(self.placed.scaled[self.window.at][rows])]
        surest = middle[np.argsort(-changed.scores[middle], kind="stable")][:N_PICTURES]
        return self.examples.at(self.window.rows[surest], changed.distances[surest])
