"""Every figure of speed and memory that docs/benchmarks.md gives, in one run.

    python benchmarks/speed_table.py [--quick] [--only PART ...]

Parts: compact, vit, large (12 megapixels), engines (sentence-transformers, fastembed, Ray Data and Daft, if
they are installed), ray (two workers on this machine), memory (2,000 and 20,000 images), first (the first
vector), clusters. Each is measured in processes of its own. About 40 minutes on
two cores, `--quick` about 8.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from embed_speed import CONTENDERS, ON_RAY, table
from rivals import DAFT, ENCODE, ENGINES, RAY

HERE = Path(__file__).parent
FIRST = """
import numpy as np, monitor
from monitor.encoders import EncoderSpec, load_encoder
from monitor.images import ImageReader
encoder = load_encoder(EncoderSpec(handler="open_clip", model="compact"))
with ImageReader() as reader:
    image = reader.read(np.zeros((480, 640, 3), dtype=np.uint8)).image
assert encoder.encode_images([image]).shape == (1, 256)
"""
# What anyone's process holds that has the model and encodes a batch with it.
MODEL = """
import resource, torch, open_clip
from monitor.encoders.architecture import COMPACT_DIR
model, _ = open_clip.create_model_from_pretrained(f"local-dir:{COMPACT_DIR}")
with torch.inference_mode():
    model.eval().encode_image(torch.rand(32, 3, 128, 128))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def run(*arguments: str) -> str:
    """What a Python process prints."""
    done = subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, check=True, cwd=HERE
    )
    return done.stdout


def compared(*names: str, **options: Any) -> dict[str, Any]:
    """Figures and peak of memory of contenders that run in one process."""
    given = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    figures: dict[str, Any] = json.loads(run("embed_speed.py", "--json", *given, "--only", *names))
    return figures


def each_alone(*names: str, **options: Any) -> dict[str, Any]:
    """Figures of contenders with a process each: some keep threads for as long as theirs lives."""
    return {name: compared(name, **options)["results"][name] for name in names}


def compact(n: int) -> str:
    names = [name for name in CONTENDERS if n > 200 or name != "one by one"]
    return table("640x480 JPEGs, compact model", each_alone(*names, images=n))


def vit(n: int) -> str:
    names = [name for name in CONTENDERS if n > 200 or name not in ("one by one", "DataLoader")]
    results = each_alone(*names, images=n // 6, rounds=2, model="ViT-B-32")
    share = results["monitor.embed"][0] / results[ENCODE][0]
    text = table("640x480 JPEGs, ViT-B-32, float32, random weights", results)
    return f"{text}\n\nmonitor.embed: {share:.2f} of the encoder alone"


def large(n: int) -> str:
    results: dict[str, Any] = {}
    peaks = {}
    for name in ("monitor.embed", "monitor.embed, fast", "thread pool"):
        figures = compared(name, images=max(24, n // 10), rounds=1, size="4000x3000")
        results |= figures["results"]
        peaks[name] = figures["peak_gib"]
    lines = ["| 4000x3000 JPEGs, compact model | images/s | CPU ms an image | peak GiB |"]
    lines.append("|---|---:|---:|---:|")
    lines += [f"| {k} | {v[0]:.1f} | {v[1]:.0f} | {peaks[k]:.2f} |" for k, v in results.items()]
    return "\n".join(lines)


def engines(n: int) -> str:
    there = [name for name, package in ENGINES.items() if find_spec(package) is not None]
    on_open_clip = [name for name in there if name in (RAY, DAFT)]
    vit = each_alone(ENCODE, "monitor.embed", *there, images=n // 6, rounds=2, model="ViT-B-32")
    small = each_alone("monitor.embed", *on_open_clip, images=n, rounds=2)
    return (
        f"{table('640x480 JPEGs, ViT-B-32, float32, random weights', vit)}\n\n"
        f"{table('640x480 JPEGs, compact model', small)}"
    )


def ray(n: int) -> str:
    names = ("monitor.embed", ON_RAY)
    title = "640x480 JPEGs, compact model (processor time of Ray's workers is not seen)"
    return table(title, compared(*names, images=n)["results"])


def memory(n: int) -> str:
    alone = float(run("-c", MODEL))
    lines = ["| memory, compact model | peak GiB | of the model's own process |", "|---|---:|---:|"]
    lines.append(f"| the model's own process | {alone:.2f} | 1.00 |")
    for n_images in (n, 10 * n):
        peak = compared("monitor.embed", images=n_images, rounds=1)["peak_gib"]
        lines.append(f"| monitor.embed, {n_images:,} images | {peak:.2f} | {peak / alone:.2f} |")
    return "\n".join(lines)


def first(_: int) -> str:
    def seconds(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("-c", code)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    codes: Mapping[str, str] = {
        "`import torch` alone": "import torch",
        "the compact model's first vector": FIRST,
        "the same with pandas": "import pandas\n" + FIRST,
    }
    lines = ["| first vector | seconds of the processor, least of 3 |", "|---|---:|"]
    lines += [f"| {k} | {min(seconds(v) for _ in range(3)):.1f} |" for k, v in codes.items()]
    return "\n".join(lines)


def clusters(n: int) -> str:
    return run("clusters_speed.py", "--rows", str(500 * n))


PARTS: dict[str, Callable[[int], str]] = {
    function.__name__: function
    for function in (compact, vit, large, engines, ray, memory, first, clusters)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    n = 200 if options.quick else 2000
    print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}\n")
    for part in options.only:
        # The contenders' rows need fewer images than memory does.
        size = n if part in ("memory", "clusters") else max(200, n // 3)
        print(PARTS[part](size), flush=True)
        print()


if __name__ == "__main__":
    main()
