"""`precision:` beside float32: processor time, how close the vectors are, and what becomes of the verdicts.

    python benchmarks/precision.py --photos FOLDER [--precisions int8] [--device cpu] [--images 64]
        [--model ViT-B-32] [--pretrained TAG] [--verdicts 600]

Without `--pretrained` the weights of a model are random (not those of `compact`): good for times, and a weak
sign for cosines, since trained weights have outliers that random ones lack. Time is of the processor, on a
GPU that of the clock; medians of five, in turns.

`--verdicts N` takes `index.csv` beside the photos (path, domain, label): N photos of the first domain are a
baseline of vectors of one precision, and windows of a hundred others are judged by it, quiet ones and some
with photos of the other domains, for each precision alike. It prints by how much log10 p moved, and how
many verdicts at 0.05, 0.01 and one false alarm in two years of days did; and beside it what float32 alone
does when k-means starts from another seed.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

import monitor
from monitor.encoders import Encoder, EncoderSpec, load_encoder
from monitor.encoders.imports import open_clip

BATCH = 32
N_WINDOW, N_QUIET, N_OF_OTHERS = 100, 30, 10
SHARES = (0.05, 0.2)
LEVELS = (0.05, 0.01, 1 / 730)


def with_random_weights(name: str, folder: Path) -> str:
    """The model `name`, as it lies in `folder` afterwards."""
    torch.manual_seed(0)
    model = open_clip.create_model(name)
    config = {
        "model_cfg": open_clip.get_model_config(name),
        "preprocess_cfg": model.visual.preprocess_cfg,
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def loaded(
    options: argparse.Namespace, model: str, clock: Callable[[], float]
) -> dict[str, Encoder]:
    """The encoder in float32 and in each precision."""
    encoders = {}
    for precision in ("float32", *options.precisions):
        start = clock()
        encoders[precision] = load_encoder(
            EncoderSpec(
                handler="open_clip",
                model=model,
                pretrained=options.pretrained,
                precision=precision,
                device=options.device,
            )
        )
        print(f"{precision} loaded in {clock() - start:.1f} s")
    return encoders


def time_and_closeness(
    encoders: dict[str, Encoder], images: list[Image.Image], clock: Callable[[], float]
) -> None:
    """Print both, for each precision beside float32."""
    tensors = [encoders["float32"].preprocess(image) for image in images]
    vectors = {name: encoder.encode_batch(tensors) for name, encoder in encoders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    few = tensors[:16]
    for _ in range(5):
        for name, encoder in encoders.items():
            start = clock()
            encoder.encode_batch(few)
            seconds[name].append((clock() - start) / len(few))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    exact = vectors.pop("float32")
    spread = np.linalg.norm(exact - exact.mean(axis=0), axis=1).mean()
    for name, rows in vectors.items():
        cosine = (exact * rows).sum(axis=1)
        error = np.linalg.norm(rows - exact, axis=1).mean()
        print(
            f"{name}: {medians[name] * 1000:.1f} ms, float32 {medians['float32'] * 1000:.1f}; "
            f"{medians['float32'] / medians[name]:.2f} times as fast; cosine at least {cosine.min():.5f}, "
            f"mean {cosine.mean():.5f}; error over the spread of the photos {error / spread:.3f}"
        )


def windows(index: pd.DataFrame, n_baseline: int) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Rows of the baseline, and of each window."""
    rng = np.random.default_rng(0)
    domains = index["domain"].to_numpy()
    own, *others = dict.fromkeys(domains)
    rows = rng.permutation(np.flatnonzero(domains == own))
    baseline, rest = rows[:n_baseline], rows[n_baseline:]
    drawn = {f"quiet {i}": rng.permutation(rest)[:N_WINDOW] for i in range(N_QUIET)}
    for other in others:
        strangers = np.flatnonzero(domains == other)
        for share in SHARES:
            n = round(N_WINDOW * share)
            for i in range(N_OF_OTHERS):
                parts = [rng.permutation(strangers)[:n], rng.permutation(rest)[: N_WINDOW - n]]
                drawn[f"{other} {share:.0%} {i}"] = np.concatenate(parts)
    return baseline, drawn


def embedded(encoder: Encoder, photos: Path, index: pd.DataFrame) -> pd.DataFrame:
    """A vector of each photo."""
    vectors = []
    for first in range(0, len(index), BATCH):
        paths = index["path"].iloc[first : first + BATCH]
        images = [Image.open(photos / path).convert("RGB") for path in paths]
        vectors += list(encoder.encode_images(images))
    return pd.DataFrame({"vector": vectors})


def p_values(table: pd.DataFrame, index: pd.DataFrame, n_baseline: int, seed: int = 0) -> pd.Series:
    """Of each window, judged by a baseline of the same vectors."""
    feature = monitor.VectorFeature(
        name="photos", column="vector", n_clusters=10, random_state=seed
    )
    baseline, drawn = windows(index, n_baseline)
    fitted = monitor.fit_baseline(table.iloc[baseline], feature, progress=False)
    return pd.Series(
        {
            name: monitor.detect_drift(table.iloc[rows], fitted, alpha=LEVELS[-1], progress=False)
            .windows[0]
            .judgement.p_value
            for name, rows in drawn.items()
        }
    )


def compare_verdicts(encoders: dict[str, Encoder], photos: Path, n_baseline: int) -> None:
    """Print by how much p-values and verdicts differ from those of float32."""
    index = pd.read_csv(photos / "index.csv")
    index = index[[(photos / path).is_file() for path in index["path"]]].reset_index(drop=True)
    tables = {name: embedded(encoder, photos, index) for name, encoder in encoders.items()}
    judged = {name: p_values(table, index, n_baseline) for name, table in tables.items()}
    exact = judged.pop("float32")
    for seed in (1, 2):
        judged[f"float32, seed {seed}"] = p_values(tables["float32"], index, n_baseline, seed)
    alarms = ", ".join(f"{int((exact <= level).sum())} at {level:.4f}" for level in LEVELS)
    print(f"{len(exact)} windows, of which float32 calls drifted: {alarms}")
    for name, found in judged.items():
        moved = np.abs(np.log10(found) - np.log10(exact))
        changed = ", ".join(
            f"{int(((found <= level) != (exact <= level)).sum())} at {level:.4f}"
            for level in LEVELS
        )
        print(
            f"{name}: log10 p moved by {moved.median():.3f} in the median, {moved.max():.2f} at most; "
            f"verdicts changed: {changed}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--precisions", nargs="+", default=["int8"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--pretrained")
    parser.add_argument("--verdicts", type=int, default=0, metavar="N")
    options = parser.parse_args()
    paths = sorted(options.photos.rglob("*.jpg"))
    step = max(1, len(paths) // options.images)
    images = [Image.open(path).convert("RGB") for path in paths[::step][: options.images]]
    is_random = options.pretrained is None and options.model != "compact"
    with tempfile.TemporaryDirectory() as place:
        model = with_random_weights(options.model, Path(place)) if is_random else options.model
        clock = time.perf_counter if options.device != "cpu" else time.process_time
        encoders = loaded(options, model, clock)
        kind = "random weights" if is_random else options.pretrained or "its weights"
        print(f"{options.model}, {kind}, {options.device}, {len(images)} photos")
        time_and_closeness(encoders, images, clock)
        if options.verdicts:
            compare_verdicts(encoders, options.photos, options.verdicts)


if __name__ == "__main__":
    main()
