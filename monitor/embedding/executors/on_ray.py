"""Workers of a Ray cluster, each with the model loaded once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from monitor.embedding.column import EmbeddedColumn
from monitor.embedding.reading import cache_names
from monitor.errors import EncoderError, InvalidInputError, MissingExtraError
from monitor.failures import Failure
from monitor.images.quality import QUALITY_FIELDS

if TYPE_CHECKING:
    from monitor.cache import CarriedCache, VectorCache
    from monitor.embedding.executors.executor import Cells, EmbeddingTask, Work
    from monitor.images import ImageReader

_Piece = TypeVar("_Piece")
_Made = TypeVar("_Made")
_Tag = TypeVar("_Tag")
_BATCHES_A_PIECE: Final = 8
"""A worker that dies loses so many batches at most; a piece takes seconds, its way there milliseconds."""
_PARTS: Final = 128
"""Into so many pieces at least a column is cut whose vectors are kept, if a batch is no more than that: a
kill of what gives them out costs what the workers have under way."""
_PARTS_OF_FILE: Final = 200
"""Into so many pieces at least a file is cut that the workers read themselves, if a batch is no more than
that. Of two workers each kill of the command then costs 1 % at most."""
_BATCHES_A_PART: Final = 64
"""More of them in one file of Parquet would be lost with it."""
_WAITING: Final = 2
"""Pieces under way for each worker, so that the next one is there when one is done."""
_ATTEMPTS: Final = 3
"""After so many workers that died over a piece, the piece is to blame."""


@dataclass
class RayExecutor:
    """Fetches, decodes and encodes in the workers of a Ray cluster (`pip install 'embedding-monitor[ray]'`).

    Each worker is one process that loads the model once and embeds pieces of the column as
    `LocalExecutor` does. Pieces go out as workers are free and come back into their rows; no more
    than two for each worker are under way. Files they read and write themselves, as `spread` has it. A
    worker that dies is started again, and its pieces are done again. The workers stay for the next column,
    until the program ends. They need this package, and local paths must lead to the same files there.

    Parameters
    ----------
    address
        Of the cluster, such as ``"ray://head:10001"`` or ``"auto"``. None starts Ray on this machine, unless
        the program has connected to one already.
    workers
        How many; None takes as many as the cluster has room for when the first column comes.
    cpus, gpus
        What each worker takes; a fraction of a GPU is shared.

    Raises
    ------
    InvalidInputError
        If a number is out of range.
    MissingExtraError
        If Ray is not installed.
    """

    address: str | None = None
    workers: int | None = None
    cpus: float = 1
    gpus: float = 0
    _actors: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        is_count = isinstance(self.workers, int) and not isinstance(self.workers, bool)
        if self.workers is not None and not (is_count and self.workers >= 1):
            raise InvalidInputError(f"workers={self.workers!r} must be a whole number from 1")
        for name, value in (("cpus", self.cpus), ("gpus", self.gpus)):
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise InvalidInputError(f"{name}={value!r} must be a number from 0")
        if self.cpus == self.gpus == 0:
            raise InvalidInputError("cpus and gpus are both 0: a worker must take something")
        _ray()

    def embed(
        self,
        cells: Cells,
        task: EmbeddingTask,
        *,
        cache: VectorCache | None = None,
        on_progress: Callable[[int], object] = lambda n_rows: None,
    ) -> EmbeddedColumn:
        """See `Executor.embed`. The cache stays here: what it knows travels with the cells.

        Raises
        ------
        EncoderError
            Also if a piece ends its worker three times over.
        """
        ray = _ray()
        with _their_errors(), self._started():
            described = self._actors[0].call.remote(os.getcwd(), "describe", task)
            fingerprint, width = ray.get(described)
            column = EmbeddedColumn(
                np.zeros((len(cells), width), dtype=np.float32),
                (),
                fingerprint,
                0,
                np.full((len(cells), len(QUALITY_FIELDS)), np.nan, dtype=np.float32),
            )
            failures: list[Failure | None] = [None] * len(cells)
            n_encoded = 0
            for rows, (part, added) in self._results(cells, task, cache, fingerprint):
                for i, of_source in enumerate(rows):
                    column.vectors[of_source] = part.vectors[i]
                    column.quality[of_source] = part.quality[i]
                    for row in of_source:
                        failures[row] = part.failures[i]
                    on_progress(len(of_source))
                n_encoded += part.n_encoded
                if cache is not None and added is not None:
                    added.give_added(cache)
                    cache.commit()
        return EmbeddedColumn(
            column.vectors, tuple(failures), fingerprint, n_encoded, column.quality
        )

    def close(self) -> None:
        """End the workers."""
        ray = _ray()
        actors, self._actors = self._actors, []
        if ray.is_initialized():
            for actor in actors:
                ray.kill(actor)

    @contextmanager
    def _started(self) -> Iterator[None]:
        """The workers, there; ended if the block is left by an error, so that nothing goes on unseen."""
        ray = _ray()
        if not ray.is_initialized():
            self._actors = []
            # Else Ray reports to its makers.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            ray.init(
                address=self.address,
                log_to_driver=False,
                include_dashboard=False,
                logging_level=logging.WARNING,
            )
        if not self._actors:
            made = ray.remote(
                num_cpus=self.cpus,
                num_gpus=self.gpus,
                max_restarts=-1,
                max_task_retries=_ATTEMPTS - 1,
            )(_Worker)
            self._actors = [made.remote() for _ in range(self.workers or self._room())]
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _room(self) -> int:
        """How many workers the cluster has room for."""
        there = _ray().cluster_resources()
        wanted = {"CPU": self.cpus, "GPU": self.gpus}
        room = [there.get(kind, 0) // n for kind, n in wanted.items() if n > 0]
        return max(1, int(min(room)))

    def piece_rows(self, n_rows: int, batch_size: int) -> int:
        """See `SpreadingExecutor.piece_rows`."""
        return min(max(n_rows // _PARTS_OF_FILE, batch_size), _BATCHES_A_PART * batch_size)

    def spread(
        self,
        work: Work[_Piece, _Made],
        pieces: Sequence[_Piece],
        *,
        cache: VectorCache | None = None,
    ) -> Iterator[tuple[int, _Made]]:
        """See `SpreadingExecutor.spread`. Workers have no cache: its file may be out of their reach."""
        with _their_errors(), self._started():
            # Once to each machine, as it may hold a baseline.
            there = _ray().put(work)
            calls = ((number, "do", (there, piece)) for number, piece in enumerate(pieces))
            yield from self._given_out(calls)

    def _results(
        self, cells: Cells, task: EmbeddingTask, cache: VectorCache | None, fingerprint: str
    ) -> Iterator[tuple[list[list[int]], tuple[EmbeddedColumn, CarriedCache | None]]]:
        """The rows of each source of a piece, what became of them, and what is new for the cache."""
        from monitor.images import ImageReader

        sources = _distinct_sources(cells)
        size = _BATCHES_A_PIECE * task.encoder.batch_size
        # So that the last pieces do not leave workers idle.
        size = max(1, min(size, -(-len(sources) // (2 * len(self._actors)))))
        if cache is not None:
            size = min(size, max(len(sources) // _PARTS, task.encoder.batch_size))

        def calls(reader: ImageReader) -> Iterator[tuple[list[list[int]], str, tuple[Any, ...]]]:
            for first in range(0, len(sources), size):
                rows = sources[first : first + size]
                images = [cells.images[of_source[0]] for of_source in rows]
                texts = cells.descriptions and [cells.descriptions[r[0]] for r in rows]
                carried = None
                if cache is not None:
                    carried = _carried(images, task, cache, fingerprint, reader)
                yield rows, "embed", (images, texts, task, carried)

        with ImageReader(task.policy) as reader:
            yield from self._given_out(calls(reader))

    def _given_out(
        self, calls: Iterable[tuple[_Tag, str, tuple[Any, ...]]]
    ) -> Iterator[tuple[_Tag, Any]]:
        """What methods of the workers give, each with the tag of its call, as they are done."""
        ray = _ray()
        folder = os.getcwd()
        free = [actor for _ in range(_WAITING) for actor in self._actors]
        under_way: dict[Any, tuple[_Tag, Any]] = {}

        def next_done() -> tuple[_Tag, Any]:
            (future,), _ = ray.wait(list(under_way), num_returns=1)
            tag, actor = under_way.pop(future)
            done = ray.get(future)
            free.append(actor)
            return tag, done

        for tag, method, arguments in calls:
            if not free:
                yield next_done()
            actor = free.pop(0)
            under_way[actor.call.remote(folder, method, *arguments)] = (tag, actor)
        while under_way:
            yield next_done()


class _Worker:
    """What runs in a process of the cluster."""

    def process(self) -> int:
        """Its process's id."""
        return os.getpid()

    def call(self, folder: str, method: str, *arguments: Any) -> Any:
        """What another method gives, in the working folder of the command if there is one here."""
        # Roots of images, and folders of models, may be seen from there.
        if os.path.isdir(folder):
            os.chdir(folder)
        return getattr(self, method)(*arguments)

    def describe(self, task: EmbeddingTask) -> tuple[str, int]:
        """The encoder's fingerprint and width."""
        from monitor.encoders import load_encoder

        encoder = load_encoder(task.encoder)
        return encoder.fingerprint, encoder.width

    def embed(
        self,
        images: Sequence[Any],
        texts: Sequence[str | None] | None,
        task: EmbeddingTask,
        carried: CarriedCache | None,
    ) -> tuple[EmbeddedColumn, CarriedCache | None]:
        """The vectors of a piece, and what is new for the cache."""
        from monitor.embedding.executors.executor import Cells
        from monitor.embedding.executors.local import LocalExecutor

        cache = cast("VectorCache | None", carried)
        # There is a worker for each core as it is.
        column = LocalExecutor(processes=0).embed(Cells(images, texts), task, cache=cache)
        return column, None if carried is None else carried.without_known()

    def do(self, work: Work[_Piece, _Made], piece: _Piece) -> _Made:
        """What `work` makes of a piece, here."""
        from monitor.embedding.executors.local import LocalExecutor

        return work(piece, LocalExecutor(processes=0), None)


def _distinct_sources(cells: Cells) -> list[list[int]]:
    """Rows that share a source and a text, in the order of their first row."""
    from monitor.images import source_key

    rows_of: dict[object, list[int]] = {}
    for row, cell in enumerate(cells.images):
        key = source_key(cell)
        text = None if cells.descriptions is None else cells.descriptions[row]
        rows_of.setdefault(row if key is None else (key, text), []).append(row)
    return list(rows_of.values())


def _carried(
    images: Sequence[Any],
    task: EmbeddingTask,
    cache: VectorCache,
    fingerprint: str,
    reader: ImageReader,
) -> CarriedCache:
    """What `cache` knows of `images`."""
    from monitor.cache import CarriedCache
    from monitor.images import RawImage

    carried = CarriedCache()
    policy, maker = cache_names(task.policy, fingerprint)
    for image in images:
        where = reader.locate(image)
        if where is not None:
            carried.take_source(cache, policy, maker, where.key)
            continue
        # It holds its bytes or pixels itself, so that this reads nothing from elsewhere.
        raw = reader.fetch(image)
        if isinstance(raw, RawImage):
            carried.take_vector(cache, maker, raw.sha256)
    return carried


@contextmanager
def _their_errors() -> Iterator[None]:
    """Errors of the workers as they were raised there, and Ray's own as ours."""
    ray = _ray()
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayActorError as error:
        raise EncoderError(
            f"{_ATTEMPTS} workers died over the same images: see Ray's log for what ended them, give "
            "each worker more memory, or set isolation to 'process' in the policy"
        ) from error


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise MissingExtraError.of("ray", "ray") from error
    return ray
