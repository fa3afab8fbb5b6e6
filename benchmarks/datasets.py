"""The image sets that the benchmarks read, embedded once."""

from __future__ import annotations

import os
import random
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

import monitor

FEATURE = monitor.ImageEmbedding(
    name="image", source_column="image", column="vector", model="compact", n_clusters=20
)
WALKTHROUGH = {
    "reference": "reference",
    "as is": "production_1",
    "blurred": "production_2",
    "darkened": "production_3",
}


def data_folder() -> Path:
    """The folder that `MONITOR_BENCH_DATA` names; ends the script with a notice without it."""
    folder = os.environ.get("MONITOR_BENCH_DATA")
    if not folder or not Path(folder).is_dir():
        print("skipped: set MONITOR_BENCH_DATA to the folder of the image sets")
        sys.exit(0)
    return Path(folder)


def walkthrough(
    cache: Path | None, n_rows: Mapping[str, int] | None = None
) -> dict[str, pd.DataFrame]:
    """The four sets of 5,000 small images, with vectors; `n_rows` may take so many of a set, at random."""
    sets = {}
    for label, name in WALKTHROUGH.items():
        with zipfile.ZipFile(data_folder() / "fiddler_cv" / f"{name}.zip") as archive:
            files = sorted(f for f in archive.namelist() if f.lower().endswith(".png"))
            if n_rows is not None:
                assert cache is None, "what is kept is whole"
                files = random.Random(0).sample(files, n_rows[label])
            frame = pd.DataFrame({"file": files, "image": [archive.read(f) for f in files]})
        sets[label] = _embedded(frame, name, cache)
    return sets


def photos(cache: Path | None, n_rows: Mapping[str, int] | None = None) -> pd.DataFrame:
    """The photos with label, domain and vectors; `n_rows` may take so many of a domain, at random."""
    folder = data_folder() / "photos"
    if (kept := _kept("photos", cache)) is not None and kept.is_file():
        return pd.read_parquet(kept)
    frame = pd.read_csv(folder / "index.csv")
    if n_rows is not None:
        assert cache is None, "what is kept is whole"
        domains = dict(tuple(frame.groupby("domain")))
        frame = pd.concat([domains[name].sample(n, random_state=0) for name, n in n_rows.items()])
    frame["image"] = [(folder / path).read_bytes() for path in frame["path"]]
    return _embedded(frame, "photos", cache)


def _kept(name: str, cache: Path | None) -> Path | None:
    """Where the vectors of a set are kept, as this encoder makes them."""
    if cache is None:
        return None
    from monitor.encoders import load_encoder

    mark = load_encoder(FEATURE.encoder_spec).fingerprint.replace(":", "-")
    return cache / f"{name}-{mark}.parquet"


def _embedded(frame: pd.DataFrame, name: str, cache: Path | None) -> pd.DataFrame:
    kept = _kept(name, cache)
    if kept is not None and kept.is_file():
        return pd.read_parquet(kept)
    result = monitor.embed(frame, FEATURE).drop(columns="image")
    failed = result["vector_failure"].notna().sum()
    if failed:
        print(f"{name}: {failed} of {len(result)} images failed")
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        result.to_parquet(kept)
    return result
