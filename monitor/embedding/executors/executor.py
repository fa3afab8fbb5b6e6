"""What an executor is, and which are known by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from monitor.encoders.spec import EncoderSpec
from monitor.errors import InvalidInputError
from monitor.images.policy import SourcePolicy
from monitor.registry import Registry, must_be_callable

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.embedding.column import EmbeddedColumn


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
