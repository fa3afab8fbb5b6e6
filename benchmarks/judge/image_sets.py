"""Sets of real images for `judge.causes`: embedded as they are, and as known changes make them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import FEATURE as PHOTOS_FEATURE
from datasets import data_folder, photos
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

import monitor
from monitor.clusters.baseline import FORMAT

FEATURE = monitor.ImageEmbedding(
    name="photos",
    source_column="image",
    column="vector",
    model=PHOTOS_FEATURE.model,
    n_clusters=10,
)
Change = Callable[[Image.Image], Image.Image]
_SMALL_SIDE = 32


def _overlay(image: Image.Image) -> Image.Image:
    mark = Image.new("RGB", (max(image.width // 3, 1), max(image.height // 6, 1)), (20, 60, 200))
    image = image.copy()
    image.paste(mark, (image.width // 50, image.height // 50))
    return image


def _pad(image: Image.Image) -> Image.Image:
    side = round(max(image.size) * 1.3)
    # A square one would only be made larger by a square frame.
    return ImageOps.pad(image, (side, image.height if image.width == image.height else side))


# Not the suspects that the product knows: other strengths, other filters.
TECHNICAL: dict[str, tuple[Change, int]] = {
    "blur σ 1": (lambda i: i.filter(ImageFilter.GaussianBlur(1)), 92),
    "box blur 3": (lambda i: i.filter(ImageFilter.BoxBlur(3)), 92),
    "darker ×0.6": (lambda i: ImageEnhance.Brightness(i).enhance(0.6), 92),
    "brighter ×1.4": (lambda i: ImageEnhance.Brightness(i).enhance(1.4), 92),
    "JPEG 10": (lambda i: i, 10),
    "scaled ÷4": (lambda i: i.resize((i.width // 4, i.height // 4)), 92),
    "grey": (lambda i: i.convert("L").convert("RGB"), 92),
    "channels swapped": (lambda i: Image.merge("RGB", i.split()[::-1]), 92),
    "letterboxed": (_pad, 92),
    "cropped": (lambda i: ImageOps.fit(i, (i.width * 2 // 3, i.height * 2 // 3)), 92),
    "rotated 5°": (lambda i: i.rotate(-5), 92),
    "squashed": (lambda i: i.resize((i.width // 2, i.height)), 92),
    "mirrored": (ImageOps.mirror, 92),
    "overlay": (_overlay, 92),
}


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images, embedded as they are and as each change makes them.

    Parameters
    ----------
    name
        Of the set.
    frame
        All of them, with label and domain.
    pool
        Rows of the domain that is monitored, apart from those that were changed.
    n_baseline
        So many of them are a baseline.
    n_window
        Rows of a window.
    others
        Domains that are new to it.
    originals
        Images of the domain that were changed.
    changed
        By change, what became of them.
    work
        Where vectors and baselines are kept.
    """

    name: str
    frame: pd.DataFrame
    pool: NDArray[np.int64]
    n_baseline: int
    n_window: int
    others: tuple[str, ...]
    originals: pd.DataFrame
    changed: dict[str, pd.DataFrame]
    work: Path

    def baseline(self, seed: int) -> tuple[monitor.Baseline, NDArray[np.int64]]:
        """A baseline, and the rows of its domain that it does not have."""
        order = np.random.default_rng([seed, 0x62617365]).permutation(self.pool)
        rows, rest = order[: self.n_baseline], order[self.n_baseline :]
        version = FORMAT.rpartition("/")[2]
        kept = self.work / f"{self.name}-{seed}.baseline-{version}"
        if kept.is_file():
            return monitor.Baseline.load(kept), rest
        policy = monitor.SourcePolicy(roots=[str(data_folder())], schemes=["data"])
        fitted = monitor.fit_baseline(self.frame.iloc[rows], FEATURE, policy=policy)
        fitted.save(kept)
        return fitted, rest

    def members(self, domain: str) -> NDArray[np.int64]:
        """The rows of a domain."""
        return np.flatnonzero((self.frame["domain"] == domain) & self.frame["vector"].notna())


def clothes(n_changed: int, work: Path) -> ImageSet:
    """Photos of clothes by many people; new are groceries, children's clothes, and one contributor's."""
    others = ("grocery_store", "clothing_kids", "clothing_sender204")
    return _image_set("clothes", _photos(work), "clothing_crowd", others, n_changed, work)


def small_images(n_changed: int, work: Path) -> ImageSet:
    """Images of 32 pixels a side; new are groceries, clothes and one contributor's, as small as they are."""
    kept = work / "small-images.parquet"
    with zipfile.ZipFile(data_folder() / "fiddler_cv" / "reference.zip") as archive:
        files = sorted(f for f in archive.namelist() if f.lower().endswith(".png"))[:2_000]
        small = pd.DataFrame({"image": [archive.read(f) for f in files]})
    others = ("grocery_store", "clothing_kids", "clothing_sender204")
    if kept.is_file():
        frame = pd.read_parquet(kept)
    else:
        folder = data_folder() / "photos"
        index = pd.read_csv(folder / "index.csv")
        few = index[index["domain"].isin(others)].groupby("domain").head(200)
        cells = [
            _bytes(ImageOps.fit(_open(str(folder / path)), (_SMALL_SIDE, _SMALL_SIDE)), 92)
            for path in few["path"]
        ]
        of_others = pd.DataFrame({"image": cells, "domain": few["domain"], "label": few["label"]})
        both = [small.assign(domain="small", label=""), of_others]
        frame = monitor.embed(pd.concat(both, ignore_index=True), FEATURE)
        frame.to_parquet(kept)
    return _image_set("small-images", frame, "small", others, n_changed, work)


def garment(label: str, n_changed: int, work: Path) -> ImageSet:
    """Photos of one garment by many people, in windows of 40; new are others, as a shop adds one day."""
    frame = _photos(work)
    frame = frame[frame["domain"] == "clothing_crowd"].reset_index(drop=True)
    frame["domain"] = frame["label"]
    others = tuple(other for other in GARMENTS if other != label)
    n_photos = int((frame["domain"] == label).sum())
    return _image_set(label, frame, label, others, min(n_changed, n_photos // 4), work, 40)


def groceries(n_changed: int, work: Path) -> ImageSet:
    """Photos of a shop's shelves, in windows of 100; new are clothes, and pictures of products alone."""
    others = ("clothing_crowd", "clothing_kids", "grocery_iconic")
    changed = min(n_changed, 250)
    return _image_set("groceries", _photos(work), "grocery_store", others, changed, work, 100)


GARMENTS = ("t-shirt", "longsleeve", "pants", "shoes", "dress", "shorts", "skirt", "hat")
SETS: dict[str, Callable[[int, Path], ImageSet]] = {
    "clothes": clothes,
    "small-images": small_images,
    "groceries": groceries,
    **{label: partial(garment, label) for label in GARMENTS[:5]},
}


def _photos(work: Path) -> pd.DataFrame:
    folder = data_folder() / "photos"
    frame = photos(work)
    frame["image"] = [str(folder / path) for path in frame["path"]]
    return frame


def _image_set(
    name: str,
    frame: pd.DataFrame,
    domain: str,
    others: tuple[str, ...],
    n_changed: int,
    work: Path,
    n_window: int = 200,
) -> ImageSet:
    rows = np.flatnonzero((frame["domain"] == domain) & frame["vector"].notna())
    rows = np.random.default_rng(0).permutation(rows)
    n_baseline = min(1_000, len(rows) // 2)
    # Changed are those that follow on a first baseline: none of them is in any.
    some = frame.iloc[rows[n_baseline : n_baseline + n_changed]]
    pool = np.concatenate([rows[:n_baseline], rows[n_baseline + n_changed :]])
    changed = {
        change: _changed(some, f"{domain}-{change}", *how, work)
        for change, how in TECHNICAL.items()
    }
    return ImageSet(name, frame, pool, n_baseline, n_window, others, some, changed, work)


def _changed(
    rows: pd.DataFrame, name: str, change: Change, quality: int, work: Path
) -> pd.DataFrame:
    words = "".join(letter if letter.isalnum() else "-" for letter in name)
    kept = work / f"{words}-{len(rows)}.parquet"
    if kept.is_file():
        return pd.read_parquet(kept)
    cells = [_bytes(change(_open(cell)), quality) for cell in rows["image"]]
    frame = pd.DataFrame({"image": cells, "label": rows["label"].to_numpy()})
    result = monitor.embed(frame, FEATURE).drop(columns="image")
    result.to_parquet(kept)
    return result


def _open(cell: str | bytes) -> Image.Image:
    return Image.open(io.BytesIO(cell) if isinstance(cell, bytes) else cell).convert("RGB")


def _bytes(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()
