"""The shipped model `compact`: open_clip loads it offline, and it has learned something."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

import monitor
from monitor.encoders.imports import open_clip

MODEL = Path(monitor.__file__).parent / "encoders" / "compact"
SIDE = 128
COLOURS = {
    "red": (212, 36, 36),
    "green": (44, 160, 60),
    "blue": (40, 80, 208),
    "yellow": (240, 214, 48),
}


class Towers:
    """A model with its preprocessing and tokenizer."""

    def __init__(self, model: Any, preprocess: Any) -> None:
        self.model = model.eval()
        self.preprocess = preprocess
        self.tokenizer = open_clip.get_tokenizer(f"local-dir:{MODEL}")

    def images(self, images: list[Image.Image]) -> np.ndarray:
        batch = torch.stack([self.preprocess(image) for image in images])
        with torch.inference_mode():
            return self.model.encode_image(batch, normalize=True).numpy()

    def texts(self, texts: list[str]) -> np.ndarray:
        with torch.inference_mode():
            return self.model.encode_text(self.tokenizer(texts), normalize=True).numpy()


@pytest.fixture(scope="module")
def compact() -> Towers:
    """The shipped model, loaded with every socket refused."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("loading the model opened a socket")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        return Towers(*open_clip.create_model_from_pretrained(f"local-dir:{MODEL}"))


@pytest.fixture(scope="module")
def untrained(compact: Towers) -> Towers:
    """The same architecture with random weights."""
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{MODEL}", load_weights=False)
    return Towers(model, compact.preprocess)


def disc(colour: str, back: str, rng: np.random.Generator) -> Image.Image:
    """A filled circle of one colour on a background of another."""
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[back])
    radius = SIDE * rng.uniform(0.25, 0.38)
    centre = SIDE * rng.uniform(0.45, 0.55, 2)
    ImageDraw.Draw(image).ellipse([*(centre - radius), *(centre + radius)], fill=COLOURS[colour])
    return image


def stripes(first: str, second: str, cells: int) -> Image.Image:
    """Horizontal stripes of two colours."""
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[first])
    canvas, step = ImageDraw.Draw(image), SIDE / cells
    for row in range(0, cells, 2):
        canvas.rectangle([0, row * step, SIDE, (row + 1) * step], fill=COLOURS[second])
    return image


def checkerboard(first: str, second: str, cells: int) -> Image.Image:
    """Squares of two colours in turn."""
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[first])
    canvas, step = ImageDraw.Draw(image), SIDE / cells
    for row in range(cells):
        for column in range(row % 2, cells, 2):
            box = [column * step, row * step, (column + 1) * step, (row + 1) * step]
            canvas.rectangle(box, fill=COLOURS[second])
    return image


def cluttered(rng: np.random.Generator) -> Image.Image:
    """Many small shapes: a scene that blur visibly changes."""
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[str(rng.choice(list(COLOURS)))])
    canvas = ImageDraw.Draw(image)
    for _ in range(30):
        x, y = rng.uniform(0, SIDE, 2)
        radius = rng.uniform(3, 12)
        fill = COLOURS[str(rng.choice(list(COLOURS)))]
        canvas.rectangle([x - radius, y - radius, x + radius, y + radius], fill=fill)
    return image


def test_it_is_small() -> None:
    assert (MODEL / "open_clip_config.json").is_file()
    assert (MODEL / "open_clip_model.safetensors").is_file()
    assert sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file()) <= 12e6


def test_vectors_are_wide_enough_finite_and_of_unit_length(compact: Towers) -> None:
    rng = np.random.default_rng(0)
    rows = compact.images([disc("red", "blue", rng), cluttered(rng)])
    words = compact.texts(["a photo of a dress"])
    assert rows.dtype == np.float32
    assert rows.shape[1] == words.shape[1] >= 256
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(words, axis=1), 1, atol=1e-5)
    assert compact.model.visual.image_size[0] <= 160


def test_the_same_image_gives_the_same_vector_alone_and_in_a_batch(compact: Towers) -> None:
    images = [cluttered(np.random.default_rng(seed)) for seed in range(4)]
    together = compact.images(images)
    alone = compact.images(images[2:3])
    assert np.allclose(together[2], alone[0], atol=1e-4)


def test_captions_name_the_pattern_of_rendered_scenes(compact: Towers) -> None:
    rng = np.random.default_rng(1)
    pairs = [(a, b) for a in COLOURS for b in COLOURS if a != b]
    scenes: list[Image.Image] = []
    for index, (first, second) in enumerate(pairs):
        cells = 6 + 2 * (index % 4)
        scenes += [
            stripes(first, second, cells),
            checkerboard(first, second, cells),
            disc(first, second, rng),
        ]
    words = compact.texts(["stripes", "a checkerboard", "a circle"])
    named = (compact.images(scenes) @ words.T).argmax(1)
    assert (named == np.tile([0, 1, 2], len(pairs))).mean() >= 0.8


def test_captions_name_the_background_colour_better_than_chance(compact: Towers) -> None:
    rng = np.random.default_rng(1)
    pairs = [(a, b) for a in COLOURS for b in COLOURS if a != b] * 3
    words = compact.texts([f"a circle on a {name} background" for name in COLOURS])
    named = (compact.images([disc(a, b, rng) for a, b in pairs]) @ words.T).argmax(1)
    truth = np.array([list(COLOURS).index(back) for _, back in pairs])
    assert (named == truth).mean() >= 1.6 / len(COLOURS)


def test_blur_moves_the_embedding_more_than_in_a_random_network(
    compact: Towers, untrained: Towers
) -> None:
    """The shift of the mean, in units of the spread between scenes."""
    scenes = [cluttered(np.random.default_rng(seed)) for seed in range(24)]
    blurred = [scene.filter(ImageFilter.GaussianBlur(3)) for scene in scenes]

    def shift(towers: Towers) -> float:
        before, after = towers.images(scenes), towers.images(blurred)
        spread = np.sqrt(before.var(0).sum() + after.var(0).sum())
        return float(np.linalg.norm(before.mean(0) - after.mean(0)) / spread)

    assert shift(compact) > 0.5
    assert shift(compact) > 1.2 * shift(untrained)


def test_darkness_moves_the_embedding(compact: Towers) -> None:
    scenes = [cluttered(np.random.default_rng(seed)) for seed in range(24)]
    darkened = [scene.point(lambda value: value * 2 // 5) for scene in scenes]
    before, after = compact.images(scenes), compact.images(darkened)
    spread = np.sqrt(before.var(0).sum() + after.var(0).sum())
    assert np.linalg.norm(before.mean(0) - after.mean(0)) > 0.5 * spread


def test_words_for_degradations_point_the_right_way(compact: Towers) -> None:
    scenes = [cluttered(np.random.default_rng(seed)) for seed in range(24)]
    blurred = [scene.filter(ImageFilter.GaussianBlur(5)) for scene in scenes]
    words = compact.texts(["a blurry photo", "a sharp photo"])
    lean = words[0] - words[1]
    assert (compact.images(blurred) @ lean).mean() > (compact.images(scenes) @ lean).mean()


def test_tokens_never_trained_are_zero_not_noise(compact: Towers) -> None:
    table = compact.model.token_embedding.weight.detach()
    trained = (table != 0).any(1)
    assert 50 < int(trained.sum()) < 5000
    assert bool(trained[compact.tokenizer(["a photo of a dress"])[0, :6]].all())
