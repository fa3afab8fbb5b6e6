"""The benchmark of the model on the kept-back images: prints the figures of the model card.

MONITOR_BENCH_DATA=... python -m training.evaluate
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

from training.captions import CLOTHING, class_prompt
from training.data import Photo, data_root, read_photos, read_small_images, split_photos
from training.measures import (
    cluster_divergences,
    control_separability,
    mean_shift_p,
    neighbour_accuracy,
    separability,
    unit,
)
from training.student import new_student, new_tokenizer
from training.teacher import Teacher, embed_whole

MODEL = Path(__file__).parents[1] / "monitor" / "encoders" / "compact"
SMALL_SETS = ("reference", "production_1", "production_2", "production_3")
DOMAINS = (
    "clothing_kids",
    "clothing_sender48",
    "clothing_sender181",
    "clothing_sender204",
    "clothing_sender260",
    "grocery_store",
)
DAY_ROWS = 1000
DAYS = 5


def embed_images(
    models: dict[str, open_clip.CLIP],
    preprocess: Callable[[Image.Image], torch.Tensor],
    images: Iterable[Image.Image],
) -> dict[str, np.ndarray]:
    """Image vectors of unit length by each model, through open_clip's own preprocessing."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in models}
    remaining = iter(images)
    while chunk := list(itertools.islice(remaining, 32)):
        batch = torch.stack([preprocess(image) for image in chunk])
        with torch.inference_mode():
            for name, model in models.items():
                rows[name].append(model.encode_image(batch, normalize=True).numpy())
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def zero_shot(
    model: open_clip.CLIP, rows: np.ndarray, labels: np.ndarray, names: list[str]
) -> float:
    """Share of images whose nearest class prompt is that of their class."""
    tokenizer = new_tokenizer()
    with torch.inference_mode():
        text = model.encode_text(
            tokenizer([class_prompt(name) for name in names]), normalize=True
        ).numpy()
    return float((np.array(names)[(unit(rows) @ text.T).argmax(1)] == labels).mean())


def speed(model: open_clip.CLIP, size: int, seconds: float = 4.0) -> float:
    """Images per second of the image tower, batch 32, tensor in and vector out.

    The best of several short rounds, so that a neighbour's burst does not count against it.
    """
    batch = torch.randn(32, 3, size, size)
    rates = []
    with torch.inference_mode():
        model.encode_image(batch)
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            start = time.perf_counter()
            for _ in range(4):
                model.encode_image(batch)
            rates.append(128 / (time.perf_counter() - start))
    return max(rates)


def ratio(value: float, yardstick: float) -> str:
    """A value and its share of the teacher's."""
    return f"{value:.3f} ({value / yardstick:.2f})"


def row(name: str, *cells: str) -> None:
    """Print one row of a Markdown table."""
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def report_photos(
    photos: list[Photo], sets: dict[str, np.ndarray], models: dict[str, open_clip.CLIP]
) -> None:
    """Neighbours, zero-shot and domain separability."""
    labels = np.array([photo.label for photo in photos])
    domains = np.array([photo.domain for photo in photos])
    for prefix, name in (("clothing", "clothing"), ("grocery", "grocery"), ("all", "all")):
        pick = np.array([prefix == "all" or item.startswith(prefix) for item in domains])
        values = {key: neighbour_accuracy(rows[pick], labels[pick]) for key, rows in sets.items()}
        base = values["teacher"]
        cells = [f"{base:.3f}", ratio(values["compact"], base), ratio(values["random"], base)]
        row(f"5-NN class accuracy, {name} ({pick.sum()} images)", *cells)
    for prefix in ("clothing", "grocery_store"):
        pick = np.array([item.startswith(prefix) for item in domains])
        names = list(CLOTHING) if prefix == "clothing" else sorted(set(labels[pick]))
        cells = ["–"]
        for key, model in models.items():
            value = zero_shot(model, sets[key][pick], labels[pick], names)
            cells.append(f"{value:.3f} ({value * len(names):.1f} x chance)")
        row(f"zero-shot accuracy, {prefix} ({len(names)} classes)", *cells)
    crowd = domains == "clothing_crowd"
    for standardise in (False, True):
        for domain in DOMAINS:
            pick = domains == domain
            values = {
                key: np.mean(
                    [
                        separability(rows[pick], rows[crowd], seed, standardise=standardise)
                        for seed in range(3)
                    ]
                )
                for key, rows in sets.items()
            }
            base = values["teacher"]
            cells = [f"{base:.3f}", ratio(values["compact"], base), ratio(values["random"], base)]
            title = f"AUC {domain} ({pick.sum()}) against crowd ({crowd.sum()})"
            row(f"{title}, standardised" if standardise else title, *cells)
    cells = [f"{control_separability(rows[crowd]):.3f}" for rows in sets.values()]
    row("AUC random halves of crowd (control, mean of 10)", *cells)


def report_small(sets: dict[str, dict[str, np.ndarray]]) -> None:
    """Blur and darkness on the small images, against the sharp reference.

    The teacher embeds every tenth image only, which is enough for its AUC.
    """
    for name in SMALL_SETS[1:]:
        cells = []
        for small in sets.values():
            draws = [separability(small["reference"], small[name], seed) for seed in range(5)]
            cells.append(f"{np.mean(draws):.3f}")
        row(f"AUC reference against {name} (300 a side, mean of 5)", *cells)
    whole = {key: small for key, small in sets.items() if key != "teacher"}
    for clusters in (5, 20):
        for name in SMALL_SETS[1:]:
            cells = ["–"]
            for small in whole.values():
                days = [small[name][day::DAYS] for day in range(DAYS)]
                values = cluster_divergences(small["reference"], days, clusters)
                cells.append(f"{min(values):.4f} to {max(values):.4f}")
            row(f"k-means JSD (k={clusters}), {DAYS} days of {DAY_ROWS} {name}", *cells)
    for rows in (DAY_ROWS, 100):
        for name in SMALL_SETS[1:]:
            cells = ["–"]
            for small in whole.values():
                days = [small[name][day::DAYS][:rows] for day in range(DAYS)]
                flagged = sum(mean_shift_p(small["reference"], day) < 0.01 for day in days)
                cells.append(f"{flagged} of {DAYS}")
            row(f"mean-shift test p < 0.01, days of {rows} {name}", *cells)


def main() -> None:
    """Print the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    root = data_root()

    begun = time.perf_counter()
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{options.model}")
    loading = time.perf_counter() - begun
    random_copy = new_student(seed=99)
    models = {"compact": model.eval(), "random": random_copy.eval()}
    size = model.visual.image_size[0]
    weights = options.model / "open_clip_model.safetensors"
    print(f"model load {loading:.2f} s, {weights.stat().st_size / 1e6:.2f} MB on disk")
    load = os.getloadavg()[0]
    rate = speed(model, size)
    print(f"image tower {rate:.0f} images/s (batch 32, {options.threads} threads)")
    print(f"load average of the machine before that: {load:.1f} on {os.cpu_count()} cores")
    print()

    photos = split_photos(read_photos(root))[2]
    teacher = Teacher(root / "teacher" / "mobilenet_v1_float.npz").eval()
    print(f"{len(photos)} kept-back photos; in brackets the share of the teacher's figure\n")
    row("figure", "teacher", "compact", "random copy")
    row("---", "---", "---", "---")
    sets = {"teacher": embed_whole(teacher, (photo.open() for photo in photos))}
    sets |= embed_images(models, preprocess, (photo.open() for photo in photos))
    report_photos(photos, sets, models)
    small: dict[str, dict[str, np.ndarray]] = {key: {} for key in sets}
    for name in SMALL_SETS:
        images = list(read_small_images(root, name))
        for key, rows in embed_images(models, preprocess, images).items():
            small[key][name] = rows
        small["teacher"][name] = embed_whole(teacher, images[::10])
    report_small(small)


if __name__ == "__main__":
    main()
