"""The data of the recipe: labelled photos, unlabelled 32 px images, and the kept-back split.

The split is by contributor and class: everything two contributors sent is kept back, and of the
rest one image in five, drawn within each (domain, label). `kept_back.txt` fixes it by the sha256
of the image files, so a renamed or reordered copy of the data gives the same split.

    python -m training.data          write kept_back.txt anew (the draw is seeded)
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

KEPT_BACK_FILE = Path(__file__).with_name("kept_back.txt")
KEPT_BACK_DOMAINS = ("clothing_sender48", "clothing_sender260")
KEPT_BACK_SHARE = 0.2
VALIDATION_SHARE = 0.1
SPLIT_SEED = 20240601


@dataclass(frozen=True)
class Photo:
    """One labelled photo of the data folder."""

    path: Path
    label: str
    domain: str
    sha256: str

    def open(self) -> Image.Image:
        """Decode the file as RGB."""
        with Image.open(self.path) as image:
            return image.convert("RGB")


def data_root() -> Path:
    """The data folder named by MONITOR_BENCH_DATA."""
    value = os.environ.get("MONITOR_BENCH_DATA")
    if not value:
        raise SystemExit("set MONITOR_BENCH_DATA to the folder with photos/, fiddler_cv/, teacher/")
    return Path(value)


def read_photos(root: Path) -> list[Photo]:
    """All photos of index.csv, in file order."""
    folder = root / "photos"
    photos = []
    with open(folder / "index.csv", newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            path = folder / row["path"]
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            photos.append(Photo(path, row["label"], row["domain"], digest))
    return photos


def draw_kept_back(photos: list[Photo]) -> set[str]:
    """Draw the kept-back hashes: two whole contributors, and a fifth of every other class."""
    kept = {photo.sha256 for photo in photos if photo.domain in KEPT_BACK_DOMAINS}
    strata: dict[tuple[str, str], set[str]] = defaultdict(set)
    for photo in photos:
        if photo.sha256 not in kept:
            strata[photo.domain, photo.label].add(photo.sha256)
    rng = np.random.default_rng(SPLIT_SEED)
    for key in sorted(strata):
        hashes = sorted(strata[key])
        count = round(KEPT_BACK_SHARE * len(hashes))
        kept.update(rng.choice(hashes, size=count, replace=False).tolist())
    return kept


def kept_back_hashes() -> set[str]:
    """The committed hashes of the kept-back images."""
    lines = KEPT_BACK_FILE.read_text(encoding="ascii").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def split_photos(photos: list[Photo]) -> tuple[list[Photo], list[Photo], list[Photo]]:
    """Training, validation and kept-back photos.

    Validation is a tenth of what is not kept back, chosen by hash; every choice made while the
    recipe was developed was made on it.
    """
    kept = kept_back_hashes()
    training, validation, back = [], [], []
    for photo in photos:
        if photo.sha256 in kept:
            back.append(photo)
        elif int(photo.sha256[:8], 16) / 16**8 < VALIDATION_SHARE:
            validation.append(photo)
        else:
            training.append(photo)
    return training, validation, back


def read_small_images(root: Path, name: str) -> Iterator[Image.Image]:
    """The 32 px images of one archive of fiddler_cv, in the order of their numbers."""
    with zipfile.ZipFile(root / "fiddler_cv" / f"{name}.zip") as archive:
        members = [item for item in archive.namelist() if item.endswith(".png")]
        for member in sorted(members, key=lambda item: int(Path(item).stem)):
            with Image.open(io.BytesIO(archive.read(member))) as image:
                yield image.convert("RGB")


def main() -> None:
    """Write kept_back.txt."""
    photos = read_photos(data_root())
    kept = sorted(draw_kept_back(photos))
    header = "# sha256 of the image files that training never sees\n"
    KEPT_BACK_FILE.write_text(header + "\n".join(kept) + "\n", encoding="ascii")
    print(f"{len(kept)} of {len(photos)} photos kept back")


if __name__ == "__main__":
    main()
