"""Images a second and processor time per image of `monitor.embed`, beside a dozen lines of anyone's.

    python benchmarks/embed_speed.py [--photos FOLDER] [--size 640x480] [--images 600] [--rounds 3]
                                     [--model compact|ViT-B-32] [--only NAME ...] [--json]

Draws pictures, or takes those of a folder, serves them as JPEGs from loopback (by nginx where it is
installed, else by Python, which takes as much of the processor as a contender does), and embeds them: all
contenders in turns, round after round, so that what else the machine does meets all of them. On a busy
machine the processor time per image is the steadier figure. The ceiling is what the cores could do if
nothing but the two first rows took time, 1 / (1/a + 1/b): Pillow's decoding with open_clip's transform, in
as many threads as there are cores, and open_clip's encoder on tensors, in batches of 32. ViT-B-32 has
random weights.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rivals import BATCH, DECODE, ENCODE, ENGINES, RIVALS, Work, engine, rival

from monitor.embedding.cores import n_cores


def make_images(folder: Path, photos: Path | None, size: tuple[int, int], n: int) -> list[str]:
    """`n` JPEGs of one size, and their names."""
    rng = np.random.default_rng(0)
    found = sorted(photos.rglob("*.jpg")) if photos else []
    names = []
    for i in range(n):
        if found:
            picture = Image.open(found[i * len(found) // n]).convert("RGB")
        else:
            picture = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        name = f"{i:05d}.jpg"
        picture.resize(size, Image.Resampling.BICUBIC).save(folder / name, quality=88)
        names.append(name)
    return names


NGINX = """
daemon off; pid {place}/pid; error_log {place}/errors; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000;
  client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;
  uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def server_command(folder: Path, port: int, place: Path) -> list[str]:
    """What serves the files of `folder` at `port`; `place` is for its own files."""
    nginx = shutil.which("nginx", path=os.defpath + ":/usr/sbin:/usr/local/sbin")
    if nginx is None:
        command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
        return [*command, "--protocol", "HTTP/1.1", "--directory", str(folder)]
    for readable in (folder, place):
        # Its worker is another user.
        readable.chmod(0o755)
    config = place / "nginx.conf"
    config.write_text(NGINX.format(place=place, port=port, folder=folder))
    return [nginx, "-c", str(config)]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server of the folder's files on loopback, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        command = server_command(folder, port, Path(place))
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                while server.poll() is None:
                    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                        break
                yield f"127.0.0.1:{port}"
            finally:
                server.terminate()


def weights(model: str, folder: Path) -> str | None:
    """The path of random weights of `model`, for what brings none."""
    if model == "compact":
        return None
    import torch
    from safetensors.torch import save_file

    from monitor.encoders.imports import open_clip

    torch.manual_seed(0)
    made = open_clip.CLIP(**open_clip.get_model_config(model))
    path = folder / f"{model}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in made.state_dict().items()}, path)
    return str(path)


def ours(name: str, model: str, pretrained: str | None) -> Work:
    import pandas as pd

    import monitor
    from monitor.images import SourcePolicy

    space = monitor.ImageSpace(
        "url",
        model=model,
        pretrained=pretrained,
        embedding_engine_config={"preprocessing": "fast" if name == FAST else "exact"},
    )
    executor: Any = "local"
    if name == ON_RAY:
        from monitor.embedding.executors.on_ray import RayExecutor

        executor = RayExecutor(workers=2)
    feature = monitor.ImageEmbedding(name="p", source_column="url", column="v", space=space)

    def work(urls: list[str]) -> object:
        host = urls[0].split("/")[2]
        policy = SourcePolicy(schemes=("http",), hosts=(host,), allow_private=True)
        table = monitor.embed(
            pd.DataFrame({"url": urls}), feature, policy=policy, progress=False, executor=executor
        )
        assert table["v_failure"].isna().all()
        return table

    return work


MONITOR, FAST, ON_RAY = OURS = (
    "monitor.embed",
    "monitor.embed, fast",
    "monitor.embed, 2 Ray workers",
)
CONTENDERS = (DECODE, ENCODE, MONITOR, FAST, *list(RIVALS)[2:])


def used() -> float:
    """Seconds of the processor that this process and its children have taken."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def measure(work: Work, urls: list[str]) -> tuple[float, float]:
    """Images a second, and processor milliseconds an image."""
    processor, wall = used(), time.perf_counter()
    work(urls)
    wall, processor = time.perf_counter() - wall, used() - processor
    return len(urls) / wall, processor / len(urls) * 1000


def compare(
    names: Sequence[str],
    model: str,
    size: tuple[int, int],
    n: int,
    rounds: int,
    photos: Path | None,
) -> dict[str, tuple[float, float]]:
    """Images a second and processor milliseconds an image of each contender, medians over the rounds."""
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as elsewhere:
        folder = Path(place)
        files = make_images(folder, photos, size, n)
        pretrained = weights(model, Path(elsewhere))

        def made(name: str) -> Work:
            if name in OURS:
                return ours(name, model, pretrained)
            if name in ENGINES:
                return engine(name, model, pretrained, Path(elsewhere))
            return rival(RIVALS[name], model, pretrained, folder)

        works = {name: made(name) for name in names}
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        with served(folder) as host:
            urls = [f"http://{host}/{name}" for name in files]
            for work in works.values():
                work(urls[:BATCH])
            for _ in range(rounds):
                for name, work in works.items():
                    results[name].append(measure(work, urls))
    return {
        name: (
            statistics.median(rate for rate, _ in figures),
            statistics.median(c for _, c in figures),
        )
        for name, figures in results.items()
    }


def table(title: str, results: Mapping[str, tuple[float, float]]) -> str:
    """The figures as Markdown, with the ceiling where its parts were measured."""
    lines = [f"| {title} | images/s | CPU ms an image | images/s, of the ceiling |"]
    lines.append("|---|---:|---:|---:|")
    ceiling = None
    if DECODE in results and ENCODE in results:
        ceiling = 1 / (1 / results[DECODE][0] + 1 / results[ENCODE][0])
        lines.append(f"| ceiling of {n_cores()} cores | {ceiling:.1f} | | 1.00 |")
    for name, (rate, cost) in results.items():
        share = "" if ceiling is None or name in (DECODE, ENCODE) else f"{rate / ceiling:.2f}"
        lines.append(f"| {name} | {rate:.1f} | {cost:.1f} | {share} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="compact")
    parser.add_argument(
        "--only", nargs="*", choices=(*CONTENDERS, ON_RAY, *ENGINES), default=CONTENDERS
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    results = compare(
        options.only, options.model, (width, height), options.images, options.rounds, options.photos
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if options.json:
        print(json.dumps({"results": results, "peak_gib": peak}))
        return
    print(table(f"{options.size} JPEGs, {options.model}", results))
    print(f"\npeak of memory, all contenders in one process: {peak:.2f} GiB")


if __name__ == "__main__":
    main()
