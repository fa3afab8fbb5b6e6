"""What an executor is, and which are known by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, runtime_checkable

from monitor.encoders.spec import EncoderSpec
from monitor.errors import InvalidInputError
from monitor.images.policy import SourcePolicy
from monitor.registry import Registry, must_be_callable

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.embedding.column import EmbeddedColumn

_Piece = TypeVar("_Piece")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class EmbeddingTask:
    """What is done with each cell: small, frozen and picklable, so that it travels to workers.

    Parameters
    ----------
    encoder
        Describes the model; each worker loads it for itself.
    policy
        From where images may be fetched.

    Examples
    --------
    >>> EmbeddingTask(EncoderSpec(handler="open_clip", model="compact")).policy.max_pixels > 0
    True
    """

    encoder: EncoderSpec
    policy: SourcePolicy = field(default_factory=SourcePolicy)


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells to embed.

    Parameters
    ----------
    images
        (n,) URLs, paths, `data:` URIs, bytes, images or arrays.
    descriptions
        (n,) texts that are added to the images' vectors, or None.

    Raises
    ------
    InvalidInputError
        If there is not one description for each image.
    """

    images: Sequence[Any]
    descriptions: Sequence[str | None] | None = None

    def __post_init__(self) -> None:
        if self.descriptions is not None and len(self.descriptions) != len(self.images):
            raise InvalidInputError(
                f"there are {len(self.images)} images but {len(self.descriptions)} descriptions: give one "
                "for each image, None where there is none"
            )

    def __len__(self) -> int:
        return len(self.images)


@runtime_checkable
class Executor(Protocol):
    """Embeds a column of images somewhere.

    Whatever the engine, the vectors are those of the encoder, rows keep their order, a row that fails has
    a reason and does not stop the others, and memory does not grow with the column beyond its result.
    `monitor.testing.ExecutorContract` tests this.
    """

    def embed(
        self,
        cells: Cells,
        task: EmbeddingTask,
        *,
        cache: VectorCache | None = None,
        on_progress: Callable[[int], object] = lambda n_rows: None,
    ) -> EmbeddedColumn:
        """The vectors of `cells`.

        Parameters
        ----------
        cells
            Images, and their descriptions.
        task
            The model and the policy.
        cache
            Vectors of earlier images. New ones are written to it batch by batch, so that work that is cut
            off goes on from its last batch.
        on_progress
            Called with a number of rows each time so many are done; the numbers add up to all rows.

        Raises
        ------
        EncoderError
            If the model cannot be loaded; no image is fetched then.
        """


Work = Callable[[_Piece, Executor, "VectorCache | None"], _Made]
"""What is done with a piece of files where it is called: by the executor that embeds there, and with the
vectors that are kept there, if any. It travels, as do piece and outcome, which are small; and as a worker may
die, it may be done twice."""


@runtime_checkable
class SpreadingExecutor(Executor, Protocol):
    """An executor whose workers read and write files themselves, so that rows need not pass through it.

    What does not spread need not say so: see `spreading`.
    """

    def piece_rows(self, n_rows: int, batch_size: int) -> int:
        """How many rows of a file of `n_rows` are a piece of work; `n_rows` where it is not to be cut."""

    def spread(
        self,
        work: Work[_Piece, _Made],
        pieces: Sequence[_Piece],
        *,
        cache: VectorCache | None = None,
    ) -> Iterator[tuple[int, _Made]]:
        """What `work` makes of each of the pieces, with the piece's position, as they are done.

        Parameters
        ----------
        work
            What is done.
        pieces
            Names of rows, not rows.
        cache
            Vectors of earlier images; of use only where work is done in this process.

        Raises
        ------
        MonitorError
            As `work` raised it; pieces that are under way are given up then.
        """


@dataclass(frozen=True)
class _Here:
    """Does in this process what an executor without workers of its own is to spread."""

    executor: Executor

    def embed(
        self,
        cells: Cells,
        task: EmbeddingTask,
        *,
        cache: VectorCache | None = None,
        on_progress: Callable[[int], object] = lambda n_rows: None,
    ) -> EmbeddedColumn:
        return self.executor.embed(cells, task, cache=cache, on_progress=on_progress)

    def piece_rows(self, n_rows: int, batch_size: int) -> int:
        return n_rows

    def spread(
        self,
        work: Work[_Piece, _Made],
        pieces: Sequence[_Piece],
        *,
        cache: VectorCache | None = None,
    ) -> Iterator[tuple[int, _Made]]:
        for number, piece in enumerate(pieces):
            yield number, work(piece, self.executor, cache)


def spreading(executor: Executor) -> SpreadingExecutor:
    """`executor`, if it has workers that read files; else one that does their work in this process.

    Examples
    --------
    >>> def doubled(piece, executor, cache):
    ...     return 2 * piece
    >>> list(spreading(executor_of("local")).spread(doubled, [3, 5]))
    [(0, 6), (1, 10)]
    """
    return executor if isinstance(executor, SpreadingExecutor) else _Here(executor)


registry: Final = Registry[Callable[..., Executor]](
    "monitor.executors",
    "executor",
    {
        "local": "monitor.embedding.executors.local:LocalExecutor",
        "ray": "monitor.embedding.executors.on_ray:RayExecutor",
    },
    must_be_callable,
)
"""The executors by name. What stands there is called with the settings that a config gives in `executor`, all
by name, and gives an `Executor`."""


def executor_of(given: str | Executor) -> Executor:
    """The executor that `given` is or names.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    InvalidInputError
        If it is neither a name nor an executor.

    Examples
    --------
    >>> executor_of("local")
    LocalExecutor(threads=None, processes=None)
    """
    if isinstance(given, str):
        return registry[given]()
    if not isinstance(given, Executor):
        raise InvalidInputError(
            f"expected an executor or its name, got {type(given).__name__}: known names are "
            f"{', '.join(registry.names())}"
        )
    return given
