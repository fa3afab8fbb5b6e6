"""The training set: image views at student size with the teacher's vector of exactly that view.

    python -m training.cache --out DIR --shards 17 --workers 2

A view is a crop of a photo, a 32 px image, a rendered scene, or two images cut together, often
degraded. Shards are seeded one by one, so a broken-off run goes on where it stopped, and the same
shard always holds the same views.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from training.captions import Facts, photo_facts
from training.data import data_root, read_photos, read_small_images, split_photos
from training.degrade import degrade, draw_state, jitter
from training.render import render_scene
from training.teacher import TEACHER_SIZE, Teacher, whole_view

SHARD = 2048
# A little more than the student's 128 px, so that training can still shift the crop.
VIEW_SIZE = 136
_STORED_SIDE = 320
_SOURCES = ("photo", "small", "scene", "mix")
_SOURCE_CHANCES = (0.64, 0.16, 0.09, 0.11)


class Sources:
    """The undecorated images that views are taken from, decoded once."""

    def __init__(self, root: Path) -> None:
        photos = split_photos(read_photos(root))[0]
        self.photos = [self._shrink(photo.open()) for photo in photos]
        self.facts = [photo_facts(photo) for photo in photos]
        self.small = list(read_small_images(root, "reference"))
        labels = [photo.label for photo in photos]
        # Rare classes are drawn more often than their share, but not as often as common ones.
        weights = np.array([(labels.count(label) + 30) ** -0.5 for label in labels])
        self.chances = weights / weights.sum()

    @staticmethod
    def _shrink(image: Image.Image) -> Image.Image:
        scale = _STORED_SIDE / min(image.size)
        if scale >= 1:
            return image
        size = (round(image.width * scale), round(image.height * scale))
        return image.resize(size, Image.Resampling.BICUBIC)

    def photo_view(self, rng: np.random.Generator) -> tuple[Image.Image, Facts]:
        """A crop of a photo, a third of the time nearly the whole of it."""
        index = int(rng.choice(len(self.photos), p=self.chances))
        image = self.photos[index]
        if rng.random() < 0.2:
            view = Image.fromarray(whole_view(image))
        else:
            smallest = 0.75 if rng.random() < 0.3 else 0.35
            view = random_crop(image, smallest, rng)
        return view, self.facts[index]

    def small_view(self, rng: np.random.Generator) -> tuple[Image.Image, Facts]:
        """A 32 px image at teacher size."""
        image = self.small[int(rng.integers(len(self.small)))]
        view = Image.fromarray(whole_view(image))
        if rng.random() < 0.3:
            view = random_crop(view, 0.5, rng)
        return view, frozenset({"medium:photo", "state:tiny"})

    def mixed_view(self, rng: np.random.Generator) -> tuple[Image.Image, Facts]:
        """Two images cut together or blended; nothing is said about them in words."""
        first, second = (
            (self.photo_view if rng.random() < 0.7 else self.small_view)(rng)[0] for _ in range(2)
        )
        if rng.random() < 0.3:
            return Image.blend(first, second, rng.uniform(0.3, 0.7)), frozenset()
        size = first.width
        share = np.sqrt(rng.uniform(0.25, 0.65))
        width = int(size * min(1.0, share * rng.uniform(0.8, 1.25)))
        height = int(size * min(1.0, share * rng.uniform(0.8, 1.25)))
        left, top = (int(rng.integers(size - side + 1)) for side in (width, height))
        patch = second.crop((left, top, left + width, top + height))
        first = first.copy()
        first.paste(patch, (left, top))
        return first, frozenset()

    def view(self, rng: np.random.Generator) -> tuple[Image.Image, Facts, str]:
        """One view, the facts known about it, and the kind of source it came from."""
        source = str(rng.choice(_SOURCES, p=_SOURCE_CHANCES))
        if source == "photo":
            image, facts = self.photo_view(rng)
        elif source == "small":
            image, facts = self.small_view(rng)
        elif source == "scene":
            image, facts = render_scene(TEACHER_SIZE, rng)
        else:
            image, facts = self.mixed_view(rng)
        if source in ("photo", "mix") and rng.random() < 0.6:
            image = jitter(image, rng)
        if rng.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if rng.random() < (0.45 if source == "small" else 0.33):
            state = draw_state(rng)
            image = degrade(image, state, rng)
            if facts:
                facts |= {f"state:{state}"}
        elif source in ("photo", "scene"):
            facts |= {"state:clean"}
        return image, facts, source


def random_crop(image: Image.Image, smallest: float, rng: np.random.Generator) -> Image.Image:
    """A crop of at least `smallest` of the area and mild aspect, at teacher size."""
    area = image.width * image.height * rng.uniform(smallest, 1.0)
    aspect = np.exp(rng.uniform(-0.25, 0.25))
    width = min(image.width, int(np.sqrt(area * aspect)))
    height = min(image.height, int(np.sqrt(area / aspect)))
    left = int(rng.integers(image.width - width + 1))
    top = int(rng.integers(image.height - height + 1))
    box = (left, top, left + width, top + height)
    return image.resize((TEACHER_SIZE, TEACHER_SIZE), Image.Resampling.BICUBIC, box)


def write_shard(number: int, out: Path, sources: Sources, teacher: Teacher, seed: int) -> None:
    """Draw, embed and store one shard, unless it is there already."""
    path = out / f"shard_{number:03d}.npz"
    if path.exists():
        return
    rng = np.random.default_rng([seed, number])
    views = np.empty((SHARD, VIEW_SIZE, VIEW_SIZE, 3), np.uint8)
    targets = np.empty((SHARD, 1024), np.float16)
    facts: list[list[str]] = []
    kinds: list[str] = []
    chunk = 16
    for start in range(0, SHARD, chunk):
        large = []
        for row in range(start, start + chunk):
            image, known, kind = sources.view(rng)
            small = image.resize((VIEW_SIZE, VIEW_SIZE), Image.Resampling.BICUBIC)
            views[row] = np.asarray(small)
            large.append(np.asarray(image))
            facts.append(sorted(known))
            kinds.append(kind)
        targets[start : start + chunk] = teacher.embed_arrays(np.stack(large), chunk)
    part = path.with_suffix(".part.npz")
    np.savez(part, views=views, targets=targets, facts=json.dumps(facts), kinds=np.array(kinds))
    part.rename(path)
    print(f"{path.name} written", flush=True)


def _work(numbers: list[int], out: Path, sources: Sources, seed: int) -> None:
    torch.set_num_threads(1)
    teacher = Teacher(data_root() / "teacher" / "mobilenet_v1_float.npz").eval()
    for number in numbers:
        write_shard(number, out, sources, teacher, seed)


def main() -> None:
    """Write the shards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=17)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sources = Sources(data_root())
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(
            target=_work,
            args=(
                list(range(index, options.shards, options.workers)),
                options.out,
                sources,
                options.seed,
            ),
        )
        for index in range(options.workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
