"""How often is the first word of a reason the right one? Run as `python -m judge.causes` in benchmarks/.

Windows of photos that were changed in a known way are embedded, judged and explained through the verbs; the
table counts, per change, which kind came first among those that alarm, and what share of rows was estimated.
"""

from __future__ import annotations

import argparse
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import data_folder
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

import monitor
from monitor.drift import ShiftKind

PHOTOS = monitor.ImageEmbedding(
    name="photos", source_column="image", column="vector", model="compact", n_clusters=10
)
N_BASELINE, N_WINDOW = 1_000, 200
Change = Callable[[Image.Image], Image.Image]


def _overlay(image: Image.Image) -> Image.Image:
    mark = Image.new("RGB", (image.width // 3, image.height // 6), (20, 60, 200))
    image = image.copy()
    image.paste(mark, (8, 8))
    return image


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
    "letterboxed": (lambda i: ImageOps.pad(i, (max(i.size) + 120,) * 2), 92),
    "cropped": (lambda i: ImageOps.fit(i, (i.width * 2 // 3, i.height * 2 // 3)), 92),
    "rotated 5°": (lambda i: i.rotate(-5), 92),
    "squashed": (lambda i: i.resize((i.width // 2, i.height)), 92),
    "mirrored": (ImageOps.mirror, 92),
    "overlay": (_overlay, 92),
}
PARTIAL = ("box blur 3", "channels swapped")
OTHERS = ("grocery_store", "clothing_kids", "clothing_sender204")
SHARES = (0.05, 0.1, 0.2, 0.5)


def _bytes(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


class Photos:
    """The photos, embedded as they are and as each change makes them, each once."""

    def __init__(self, folder: Path, n_changed: int) -> None:
        self.folder = folder
        self.index = pd.read_csv(folder / "index.csv")
        policy = monitor.SourcePolicy(roots=[str(folder)])
        paths = [str(folder / path) for path in self.index["path"]]
        self.frame = monitor.embed(pd.DataFrame({"image": paths}), PHOTOS, policy=policy)
        self.usable = self.frame["vector"].notna().to_numpy()
        rng = np.random.default_rng(0)
        crowd = np.flatnonzero((self.index["domain"] == "clothing_crowd") & self.usable)
        crowd = rng.permutation(crowd)
        self.baseline_rows, self.others = crowd[:N_BASELINE], crowd[N_BASELINE:]
        self.changed: dict[str, pd.DataFrame] = {}
        some = self.others[:n_changed]
        for name, (change, quality) in TECHNICAL.items():
            cells = [_bytes(change(self.open(row)), quality) for row in some]
            self.changed[name] = monitor.embed(pd.DataFrame({"image": cells}), PHOTOS)

    def open(self, row: int) -> Image.Image:
        return Image.open(self.folder / self.index["path"][row]).convert("RGB")

    def baseline(self) -> monitor.Baseline:
        return monitor.fit_baseline(
            self.frame.iloc[self.baseline_rows], PHOTOS,
            policy=monitor.SourcePolicy(roots=[str(self.folder)]),
        )  # fmt: skip


def windows(photos: Photos, rng: np.random.Generator) -> dict[str, tuple[pd.DataFrame, str, float]]:
    """One window of each kind: its rows, the right first word, and the share that was changed."""
    n_changed = len(next(iter(photos.changed.values())))

    def calm(n: int) -> pd.DataFrame:
        return photos.frame.iloc[rng.permutation(photos.others)[:n]]

    found: dict[str, tuple[pd.DataFrame, str, float]] = {"none": (calm(N_WINDOW), "–", 0.0)}
    for name, frame in photos.changed.items():
        for share in (1.0, 0.2) if name in PARTIAL else (1.0,):
            n = round(N_WINDOW * share)
            rows = frame.iloc[rng.permutation(n_changed)[:n]]
            label = name if share == 1 else f"{name}, {share:.0%}"
            both = pd.concat([rows, calm(N_WINDOW - n)], ignore_index=True)
            found[label] = (both, ShiftKind.TECHNICAL, share)
    for domain in OTHERS:
        members = np.flatnonzero((photos.index["domain"] == domain) & photos.usable)
        for share in SHARES:
            n = round(N_WINDOW * share)
            rows = photos.frame.iloc[rng.permutation(members)[:n]]
            both = pd.concat([rows, calm(N_WINDOW - n)], ignore_index=True)
            found[f"{domain}, {share:.0%}"] = (both, ShiftKind.NEW_CONTENT, share)
    labels = photos.index["label"].to_numpy()[photos.others]
    common = pd.Series(labels).value_counts().index[:6].to_numpy()
    grown = rng.choice(common)
    weights = np.where(labels == grown, 4.0, 1.0)
    rows = rng.choice(photos.others, N_WINDOW, replace=False, p=weights / weights.sum())
    found["one class ×4"] = (photos.frame.iloc[rows], ShiftKind.NEW_MIX, float("nan"))
    kept = photos.others[~np.isin(labels, rng.choice(common, 3, replace=False))]
    found["three classes gone"] = (
        photos.frame.iloc[rng.permutation(kept)[:N_WINDOW]], ShiftKind.CONTENT_LOST, float("nan"),
    )  # fmt: skip
    placeholder = calm(N_WINDOW).copy()
    for share in (0.1, 0.3):
        broken = placeholder.reset_index(drop=True)
        n = round(N_WINDOW * share)
        for column in ("vector", "vector_quality"):
            broken[column] = [broken[column][0]] * n + broken[column].tolist()[n:]
        found[f"placeholder, {share:.0%}"] = (broken, ShiftKind.BROKEN_FEED, share)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--changed", type=int, default=400, help="photos that are changed")
    options = parser.parse_args()
    photos = Photos(data_folder() / "photos", options.changed)
    baseline = photos.baseline()
    kinds: dict[str, Counter[str]] = {}
    shares: dict[str, list[float]] = {}
    right: dict[str, tuple[str, float]] = {}
    for draw in range(options.draws):
        for label, (frame, kind, share) in windows(photos, np.random.default_rng(draw)).items():
            (window,) = monitor.detect_drift(frame, baseline, alpha=1 / 730).windows
            first = str(window.kinds[0]) if window.kinds else "no alarm"
            kinds.setdefault(label, Counter())[first] += 1
            if window.change is not None:
                shares.setdefault(label, []).append(window.change.share)
            right[label] = (str(kind), share)
    print("| change | alarms | right first word | others | share, median | truth |")
    print("|---|---:|---:|---|---:|---:|")
    for label, counts in kinds.items():
        kind, share = right[label]
        alarms = sum(counts.values()) - counts["no alarm"]
        wrong = ", ".join(
            f"{k} {n}" for k, n in counts.most_common() if k not in (kind, "no alarm")
        )
        median = np.median(shares[label]) if shares.get(label) else float("nan")
        rate = f"{counts[kind] / alarms:.0%}" if alarms else "–"
        print(
            f"| {label} | {alarms} of {options.draws} | {rate} | {wrong} | {median:.2f} | {share:.2f} |"
        )


if __name__ == "__main__":
    main()
