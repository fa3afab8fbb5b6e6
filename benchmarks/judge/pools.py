"""Real images, as they are and changed, embedded once by the compact model."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from datasets import FEATURE, data_folder
from numpy.typing import NDArray
from PIL import Image, ImageOps

import monitor
from judge.shifts import GEOMETRIES, NOISES, moved, noisy

CROWD = "clothing_crowd"

Change = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Photos:
    """Vectors of the crowd's photos (n, width), their labels (n,), and vectors of others' photos."""

    crowd: NDArray[np.float32]
    labels: NDArray[np.str_]
    others: dict[str, NDArray[np.float32]]


@once
def small_images(cache: Path) -> dict[str, NDArray[np.float32]]:
    """The walk-through's 5,000 production images: as is, blurred, darkened, with noise, moved.

    Row i is the same picture in each. (Of the blurred set the source left 12 % as they are.) The reference
    set is left out, because the compact model was trained on it.
    """
    frames = datasets.walkthrough(cache)
    sets = {name: _vectors(frames[name]) for name in ("as is", "blurred", "darkened")}
    with zipfile.ZipFile(data_folder() / "fiddler_cv" / "production_1.zip") as archive:
        files = [archive.read(name) for name in frames["as is"]["file"]]
    changes: dict[str, Change] = {
        f"noise {size}": lambda image, rng, sigma=sigma: noisy(image, sigma, rng)
        for size, sigma in NOISES.items()
    } | {
        f"geometry {size}": lambda image, rng, geometry=geometry: moved(image, geometry, rng)
        for size, geometry in GEOMETRIES.items()
    }
    for name, change in changes.items():
        sets[name] = _changed(files, change, f"small-{name.replace(' ', '-')}", cache)
    return sets


@once
def photos(cache: Path) -> Photos:
    """Photos of many people, and photos of single contributors."""
    frame = datasets.photos(cache)
    is_crowd = (frame["domain"] == CROWD).to_numpy()
    vectors = _vectors(frame)
    others = sorted(set(frame["domain"]) - {CROWD, "grocery_iconic"})
    return Photos(
        crowd=vectors[is_crowd],
        labels=frame["label"][is_crowd].to_numpy(dtype=np.str_),
        others={name: vectors[(frame["domain"] == name).to_numpy()] for name in others},
    )


@once
def moved_photos(cache: Path) -> NDArray[np.float32]:
    """Vectors of the crowd's photos, each moved; (n, width) in their order."""
    frame = datasets.photos(cache)
    paths = frame["path"][frame["domain"] == CROWD]
    files = [(data_folder() / "photos" / path).read_bytes() for path in paths]
    return _changed(
        files, lambda image, rng: moved(image, GEOMETRIES["medium"], rng), "photos-moved", cache
    )


def _changed(files: list[bytes], change: Change, name: str, cache: Path) -> NDArray[np.float32]:
    """Vectors of changed images, (n, width), kept in the cache per encoder."""
    from monitor.encoders import load_encoder

    mark = load_encoder(FEATURE.encoder_spec).fingerprint.replace(":", "-")
    kept = cache / f"{name}-{mark}.npz"
    if not kept.is_file():
        rng = np.random.default_rng(0)
        images = []
        for file in files:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
            written = io.BytesIO()
            Image.fromarray(change(np.asarray(image), rng)).save(written, "png", compress_level=1)
            images.append(written.getvalue())
        vectors = _vectors(monitor.embed(pd.DataFrame({FEATURE.source_column: images}), FEATURE))
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part.npz")
        np.savez(part, vectors=vectors)
        part.replace(kept)
    with np.load(kept, allow_pickle=False) as arrays:
        return arrays["vectors"]


def _vectors(frame: pd.DataFrame) -> NDArray[np.float32]:
    if frame["vector_failure"].notna().any():
        raise RuntimeError("some images have no vector: the image set is damaged")
    return np.stack(frame["vector"].to_numpy()).astype(np.float32)
