"""What every executor keeps to."""

from __future__ import annotations

# A task must travel to workers; nothing of a stranger is read.
import pickle  # noqa: TID251  # nosec B403
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitor.cache import VectorCache
from monitor.embedding import Cells, EmbeddingTask, Executor, spreading
from monitor.encoders.spec import EncoderSpec
from monitor.errors import EncoderError
from monitor.images.quality import QUALITY_FIELDS
from monitor.testing.fakes import FakeEncoder, pictures
from monitor.testing.spread import vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-5


class ExecutorContract:
    """Subclass with a fixture `executor`, a `monitor.embedding.Executor`.

    Workers in other processes must find `FakeEncoder` too: have each call `FakeEncoder.spec_of()` first, or
    override `task` with a model that they can load, such as `compact`.
    """

    @pytest.fixture
    def task(self) -> EmbeddingTask:
        """What is done with each cell."""
        return EmbeddingTask(FakeEncoder.spec_of(batch_size=4))

    @pytest.fixture
    def images(self) -> list[NDArray[np.uint8]]:
        """More pictures than fit into a few batches."""
        return [np.asarray(picture.convert("RGB")) for picture in pictures(23)]

    def expected(self, task: EmbeddingTask, images: list[Any]) -> NDArray[np.float32]:
        """What the encoder alone makes of the images."""
        from PIL import Image

        from monitor.encoders import load_encoder

        return load_encoder(task.encoder).encode_images(
            [Image.fromarray(image) for image in images]
        )

    def test_is_an_executor(self, executor: Executor) -> None:
        assert isinstance(executor, Executor)

    def test_a_task_travels(self, task: EmbeddingTask) -> None:
        assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301  # nosec B301

    def test_vectors_are_the_encoders_in_the_order_of_the_rows(
        self, executor: Executor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        result = executor.embed(Cells(images), task)
        np.testing.assert_allclose(result.vectors, self.expected(task, images), atol=TOLERANCE)
        assert result.failures == (None,) * len(images)
        assert result.quality.shape == (len(images), len(QUALITY_FIELDS))
        assert np.isfinite(result.quality[:, 0]).all()

    def test_names_the_encoder(
        self, executor: Executor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        from monitor.encoders import load_encoder

        result = executor.embed(Cells(images[:2]), task)
        assert result.fingerprint == load_encoder(task.encoder).fingerprint

    def test_a_row_that_fails_says_why_and_stops_no_other(
        self, executor: Executor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        cells = [images[0], None, b"no image", images[1], "file:///nowhere/a.png"]
        result = executor.embed(Cells(cells), task)
        reasons = [None if failure is None else failure.reason for failure in result.failures]
        assert reasons[0] is reasons[3] is None
        assert reasons[1] == "missing"
        assert None not in (reasons[2], reasons[4])
        assert not result.vectors[[1, 2, 4]].any()
        assert np.isnan(result.quality[[1, 2, 4]]).all()
        np.testing.assert_allclose(
            result.vectors[[0, 3]], self.expected(task, images[:2]), atol=TOLERANCE
        )

    def test_descriptions_are_added(
        self, executor: Executor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        from monitor.encoders import load_encoder

        result = executor.embed(Cells(images[:2], ["a red cat", None]), task)
        alone = self.expected(task, images[:2])
        text = load_encoder(task.encoder).encode_texts(["a red cat"])[0]
        both = (alone[0] + text) / np.linalg.norm(alone[0] + text)
        np.testing.assert_allclose(result.vectors[0], both, atol=TOLERANCE)
        np.testing.assert_allclose(result.vectors[1], alone[1], atol=TOLERANCE)

    def test_no_rows(self, executor: Executor, task: EmbeddingTask) -> None:
        result = executor.embed(Cells([]), task)
        assert result.vectors.shape[0] == len(result.failures) == len(result.quality) == 0

    def test_progress_adds_up_to_all_rows(
        self, executor: Executor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        done: list[int] = []
        executor.embed(Cells([*images, None, images[0]]), task, on_progress=done.append)
        assert sum(done) == len(images) + 2

    def test_what_the_cache_knows_is_not_made_again(
        self, executor: Executor, task: EmbeddingTask, images: list[Any], tmp_path: Path
    ) -> None:
        with VectorCache(tmp_path) as cache:
            first = executor.embed(Cells(images), task, cache=cache)
            again = executor.embed(Cells(images), task, cache=cache)
        assert (first.n_encoded, again.n_encoded) == (len(images), 0)
        np.testing.assert_array_equal(first.vectors, again.vectors)

    def test_work_is_spread(
        self, executor: Executor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        spread = spreading(executor)
        assert 1 <= spread.piece_rows(10_000, 32) <= 10_000
        pieces = [(task, images[first : first + 12]) for first in range(0, len(images), 12)]
        made = dict(spread.spread(vectors_of, pieces))
        assert sorted(made) == list(range(len(pieces)))
        vectors = np.concatenate([made[number] for number in range(len(pieces))])
        np.testing.assert_allclose(vectors, self.expected(task, images), atol=TOLERANCE)
        assert list(spread.spread(vectors_of, [])) == []

    def test_a_model_that_is_not_there_is_an_error(self, executor: Executor) -> None:
        spec = EncoderSpec(handler="open_clip", model="local-dir:/no/such/folder")
        with pytest.raises(EncoderError):
            executor.embed(Cells([None]), EmbeddingTask(spec))
