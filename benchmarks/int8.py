"""`precision: int8` beside float32: processor time, and how close the vectors are.

    python benchmarks/int8.py --photos FOLDER [--images 64] [--model ViT-B-32] [--pretrained TAG]

Without `--pretrained` the weights are random: good for times, and a weak sign for cosines, since trained
weights have outliers that random ones lack. Processor time, one thread, in turns, medians of five.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from monitor.encoders import EncoderSpec, load_encoder
from monitor.encoders.imports import open_clip


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--pretrained")
    options = parser.parse_args()
    paths = sorted(options.photos.rglob("*.jpg"))
    step = max(1, len(paths) // options.images)
    images = [Image.open(path).convert("RGB") for path in paths[::step][: options.images]]
    with tempfile.TemporaryDirectory() as place:
        model = options.model
        if options.pretrained is None:
            model = with_random_weights(options.model, Path(place))
        encoders = {}
        for precision in ("float32", "int8"):
            start = time.process_time()
            encoders[precision] = load_encoder(
                EncoderSpec(
                    handler="open_clip",
                    model=model,
                    pretrained=options.pretrained,
                    precision=precision,
                    device="cpu",
                )
            )
            print(f"{precision} loaded in {time.process_time() - start:.1f} s of the processor")
        tensors = [encoders["float32"].preprocess(image) for image in images]
        vectors = {name: encoder.encode_batch(tensors) for name, encoder in encoders.items()}
        seconds: dict[str, list[float]] = {name: [] for name in encoders}
        for _ in range(5):
            for name, encoder in encoders.items():
                start = time.process_time()
                encoder.encode_batch(tensors[:16])
                seconds[name].append((time.process_time() - start) / len(tensors[:16]))
    cosine = (vectors["float32"] * vectors["int8"]).sum(axis=1)
    spread = vectors["float32"] - vectors["float32"].mean(axis=0)
    error = np.linalg.norm(vectors["int8"] - vectors["float32"], axis=1).mean()
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    kind = options.pretrained or "random weights"
    print(f"{options.model}, {kind}, {len(images)} photos")
    print(", ".join(f"{name} {value * 1000:.1f} ms" for name, value in medians.items()), end="; ")
    print(f"int8 is {medians['float32'] / medians['int8']:.2f} times as fast")
    print(f"cosine: least {cosine.min():.5f}, mean {cosine.mean():.5f}")
    print(
        f"error over the spread of the photos: {error / np.linalg.norm(spread, axis=1).mean():.3f}"
    )


if __name__ == "__main__":
    main()
