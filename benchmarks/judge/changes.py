"""Windows of real images that were changed in a known way, for `judge.causes` and `judge.names`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import data_folder, photos
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

import monitor
from monitor.drift import ShiftKind

FEATURE = monitor.ImageEmbedding(
    name="photos", source_column="image", column="vector", model="compact", n_clusters=10
)
N_BASELINE, N_WINDOW = 1_000, 200
Change = Callable[[Image.Image], Image.Image]


def _overlay(image: Image.Image) -> Image.Image:
    mark = Image.new("RGB", (image.width // 3, image.height // 6), (20, 60, 200))
    image = image.copy()
    image.paste(mark, (image.width // 50, image.height // 50))
    return image


def _pad(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (round(max(image.size) * 1.3),) * 2)


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
PARTIAL = ("blur σ 1", "box blur 3", "channels swapped")
OTHERS = ("grocery_store", "clothing_kids", "clothing_sender204")
SHARES = (0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, eq=False)
class Window:
    """A window whose change is known.

    Parameters
    ----------
    frame
        Its rows, numbered from 0.
    kind
        The right first word.
    share
        The share of rows that was changed; NaN where rows were only drawn with other weights.
    is_changed
        (n,) which rows these are.
    labels
        (n,) what they show.
    """

    frame: pd.DataFrame
    kind: str
    share: float
    is_changed: NDArray[np.bool_]
    labels: NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Photos:
    """Images, embedded as they are and as each change makes them.

    Parameters
    ----------
    frame
        All of them, with label and domain.
    baseline_rows, others
        Of the domain that is monitored.
    changed
        By change, some of `others` changed.
    roots
        The folder from which a fit may read images.
    """

    frame: pd.DataFrame
    baseline_rows: NDArray[np.int64]
    others: NDArray[np.int64]
    changed: dict[str, pd.DataFrame]
    policy: monitor.SourcePolicy

    @classmethod
    def read(cls, n_changed: int, work: Path | None) -> Photos:
        """The photos: clothes of many people, and what others photographed."""
        folder = data_folder() / "photos"
        frame = photos(work)
        frame["image"] = [str(folder / path) for path in frame["path"]]
        return cls._of(frame, "clothing_crowd", n_changed, work)

    @classmethod
    def _of(cls, frame: pd.DataFrame, domain: str, n_changed: int, work: Path | None) -> Photos:
        crowd = np.flatnonzero((frame["domain"] == domain) & frame["vector"].notna())
        crowd = np.random.default_rng(0).permutation(crowd)
        baseline_rows, others = crowd[:N_BASELINE], crowd[N_BASELINE:]
        some = frame.iloc[others[:n_changed]]
        changed = {
            name: _embedded(some, name, domain, change, quality, work)
            for name, (change, quality) in TECHNICAL.items()
        }
        policy = monitor.SourcePolicy(roots=[str(data_folder())], schemes=["data"])
        return cls(frame, baseline_rows, others, changed, policy)

    def baseline(self) -> monitor.Baseline:
        """Fitted on the baseline's rows."""
        rows = self.frame.iloc[self.baseline_rows]
        return monitor.fit_baseline(rows, FEATURE, policy=self.policy)

    def members(self, domain: str) -> NDArray[np.int64]:
        """The rows of a domain."""
        return np.flatnonzero((self.frame["domain"] == domain) & self.frame["vector"].notna())


def small_images(n_changed: int, work: Path | None) -> Photos:
    """Images of 32 pixels a side, and photos of clothes and groceries made as small as they are."""
    with zipfile.ZipFile(data_folder() / "fiddler_cv" / "reference.zip") as archive:
        files = sorted(f for f in archive.namelist() if f.lower().endswith(".png"))[:2_000]
        small = pd.DataFrame({"image": [archive.read(f) for f in files]})
    folder = data_folder() / "photos"
    index = pd.read_csv(folder / "index.csv")
    others = index[index["domain"].isin(OTHERS)].groupby("domain").head(200)
    cells = [_bytes(ImageOps.fit(_open(str(folder / p)), (32, 32)), 92) for p in others["path"]]
    frame = pd.concat(
        [
            small.assign(domain="small", label=""),
            pd.DataFrame({"image": cells, "domain": others["domain"], "label": others["label"]}),
        ],
        ignore_index=True,
    )
    return Photos._of(monitor.embed(frame, FEATURE), "small", n_changed, work)


def _embedded(
    rows: pd.DataFrame, name: str, domain: str, change: Change, quality: int, work: Path | None
) -> pd.DataFrame:
    words = "".join(letter if letter.isalnum() else "-" for letter in name)
    kept = None if work is None else work / f"{domain}-{words}-{len(rows)}.parquet"
    if kept is not None and kept.is_file():
        return pd.read_parquet(kept)
    cells = [_bytes(change(_open(cell)), quality) for cell in rows["image"]]
    frame = pd.DataFrame({"image": cells, "label": rows["label"].to_numpy()})
    result = monitor.embed(frame, FEATURE).drop(columns="image")
    if kept is not None:
        result.to_parquet(kept)
    return result


def _open(cell: str | bytes) -> Image.Image:
    return Image.open(io.BytesIO(cell) if isinstance(cell, bytes) else cell).convert("RGB")


def _bytes(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def windows(photos: Photos, rng: np.random.Generator) -> dict[str, Window]:
    """One window of each kind."""
    frame, others = photos.frame, photos.others
    n_changed = len(next(iter(photos.changed.values())))
    found: dict[str, Window] = {}

    def calm(n: int) -> pd.DataFrame:
        return frame.iloc[rng.permutation(others)[:n]]

    def add(label: str, changed: pd.DataFrame, kind: str, share: float) -> None:
        rest = calm(N_WINDOW - len(changed))
        both = pd.concat([changed, rest], ignore_index=True)
        is_changed = np.arange(len(both)) < len(changed)
        found[label] = Window(both, kind, share, is_changed, both["label"].to_numpy(object))

    add("none", calm(0), "–", 0.0)
    for name, changed in photos.changed.items():
        for share in (1.0, 0.2) if name in PARTIAL else (1.0,):
            rows = changed.iloc[rng.permutation(n_changed)[: round(N_WINDOW * share)]]
            label = name if share == 1 else f"{name}, {share:.0%}"
            add(label, rows, ShiftKind.TECHNICAL, share)
    for domain in OTHERS:
        members = photos.members(domain)
        for share in SHARES:
            rows = frame.iloc[rng.permutation(members)[: round(N_WINDOW * share)]]
            add(f"{domain}, {share:.0%}", rows, ShiftKind.NEW_CONTENT, share)
    for share in (0.1, 0.3):
        one = calm(1)
        same = pd.concat([one] * round(N_WINDOW * share), ignore_index=True)
        add(f"placeholder, {share:.0%}", same, ShiftKind.BROKEN_FEED, share)
    for share in (0.15, 0.6):
        missing = calm(round(N_WINDOW * share)).copy()
        missing["vector"] = None
        missing["vector_quality"] = None
        missing["vector_failure"] = "not_found"
        add(f"missing, {share:.0%}", missing, ShiftKind.BROKEN_FEED, share)
    labels = frame["label"].to_numpy()[others]
    if len(set(labels.tolist())) < 6:
        return found
    common = pd.Series(labels).value_counts().index[:6].to_numpy()
    weights = np.where(labels == rng.choice(common), 4.0, 1.0)
    rows = rng.choice(others, N_WINDOW, replace=False, p=weights / weights.sum())
    found["one class ×4"] = _drawn(frame.iloc[rows], ShiftKind.NEW_MIX)
    kept = others[~np.isin(labels, rng.choice(common, 3, replace=False))]
    rows = rng.permutation(kept)[:N_WINDOW]
    found["three classes gone"] = _drawn(frame.iloc[rows], ShiftKind.CONTENT_LOST)
    return found


def _drawn(rows: pd.DataFrame, kind: str) -> Window:
    rows = rows.reset_index(drop=True)
    is_changed = np.zeros(len(rows), dtype=bool)
    return Window(rows, kind, float("nan"), is_changed, rows["label"].to_numpy(object))
