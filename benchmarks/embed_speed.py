"""Images a second and processor time per image of `monitor.embed`, beside a dozen lines of anyone's.

    python benchmarks/embed_speed.py [--photos FOLDER] [--size 640x480] [--images 600] [--rounds 3]

Draws pictures, or takes those of a folder, serves them as JPEGs from loopback, and embeds them with the
compact model: all contenders in turns, round after round, so that what else the machine does meets all of
them. On a busy machine the processor time per image is the steadier figure. `ceiling` is what the cores
could do if nothing but decoding, preprocessing and encoding took time, by their costs in one thread.
"""

from __future__ import annotations

import argparse
import io
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image

from monitor.embedding.cores import n_cores

BATCH = 32
Work = Callable[[list[str]], object]


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


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server of the folder's files on loopback, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    command += ["--protocol", "HTTP/1.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while server.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def ours(preprocessing: str) -> Work:
    import pandas as pd

    import monitor
    from monitor.images import SourcePolicy

    space = monitor.ImageSpace(
        "url", model="compact", embedding_engine_config={"preprocessing": preprocessing}
    )
    feature = monitor.ImageEmbedding(name="p", source_column="url", column="v", space=space)

    def work(urls: list[str]) -> object:
        host = urls[0].split("/")[2]
        policy = SourcePolicy(schemes=("http",), hosts=(host,), allow_private=True)
        table = monitor.embed(pd.DataFrame({"url": urls}), feature, policy=policy, progress=False)
        assert table["v_failure"].isna().all()
        return table

    return work


def rival(kind: str) -> Work:
    """What a dozen lines do with requests, Pillow and open_clip, without failures, statistics or checks."""
    import requests
    import torch

    from monitor.encoders.architecture import COMPACT_DIR
    from monitor.encoders.imports import open_clip

    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{COMPACT_DIR}")
    model.eval()
    session = requests.Session()

    def read(url: str) -> torch.Tensor:
        image = Image.open(io.BytesIO(session.get(url).content)).convert("RGB")
        return transform(image)

    def encode(tensors: list[torch.Tensor]) -> torch.Tensor:
        with torch.inference_mode():
            return model.encode_image(torch.stack(tensors), normalize=True)

    def parts(items: list[str], size: int = BATCH) -> Iterator[list[str]]:
        return (items[i : i + size] for i in range(0, len(items), size))

    def one_by_one(urls: list[str]) -> object:
        return [encode([read(url)]) for url in urls]

    def batched_loop(urls: list[str]) -> object:
        return [encode([read(url) for url in part]) for part in parts(urls)]

    def thread_pool(urls: list[str]) -> object:
        with ThreadPoolExecutor(8) as pool:
            return [encode(list(pool.map(read, part))) for part in parts(urls)]

    class Urls(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __init__(self, urls: list[str]) -> None:
            self.urls = urls

        def __len__(self) -> int:
            return len(self.urls)

        def __getitem__(self, i: int) -> torch.Tensor:
            return read(self.urls[i])

    def data_loader(urls: list[str]) -> object:
        loader = torch.utils.data.DataLoader(Urls(urls), batch_size=BATCH, num_workers=2)
        return [encode(list(batch)) for batch in loader]

    works = {f.__name__: f for f in (one_by_one, batched_loop, thread_pool, data_loader)}
    return works[kind]


def costs(folder: Path, names: list[str]) -> dict[str, float]:
    """Processor milliseconds per image of each step, in one thread, the least of three."""
    import torch

    from monitor.encoders import EncoderSpec, load_encoder
    from monitor.images.decoding import decode
    from monitor.images.policy import SourcePolicy
    from monitor.images.quality import measure_image
    from monitor.images.raw import RawImage

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    encoder = load_encoder(EncoderSpec(handler="open_clip", model="compact"))
    raws = [RawImage.of((folder / name).read_bytes()) for name in names[:BATCH]]
    images = [decode(raw, SourcePolicy()).image for raw in raws]  # type: ignore[union-attr]
    tensors = [encoder.preprocess(image) for image in images]
    steps: dict[str, Callable[[], object]] = {
        "decode": lambda: [decode(raw, SourcePolicy()) for raw in raws],
        "statistics": lambda: [measure_image(image) for image in images],
        "preprocess": lambda: [encoder.preprocess(image) for image in images],
        "encode": lambda: encoder.encode_batch(tensors),
    }

    def timed(step: Callable[[], object]) -> float:
        start = time.process_time()
        step()
        return (time.process_time() - start) / len(raws) * 1000

    least = {name: min(timed(step) for _ in range(3)) for name, step in steps.items()}
    torch.set_num_threads(n_threads)
    return least


CONTENDERS: dict[str, Callable[[], Work]] = {
    "monitor.embed": lambda: ours("exact"),
    "monitor.embed, fast": lambda: ours("fast"),
    "batched loop": lambda: rival("batched_loop"),
    "thread pool": lambda: rival("thread_pool"),
    "DataLoader": lambda: rival("data_loader"),
    "one by one": lambda: rival("one_by_one"),
}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS))
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = make_images(folder, options.photos, (width, height), options.images)
        step = costs(folder, names)
        needed = step["decode"] + step["preprocess"] + step["encode"]
        with served(folder) as host:
            urls = [f"http://{host}/{name}" for name in names]
            works = {name: CONTENDERS[name]() for name in options.only}
            for work in works.values():
                work(urls[:BATCH])
            results: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
            for _ in range(options.rounds):
                for name, work in works.items():
                    results[name].append(measure(work, urls))
    print("one thread, ms per image:", ", ".join(f"{k} {v:.2f}" for k, v in step.items()))
    print(f"ceiling: {n_cores() * 1000 / needed:.0f} images/s on {n_cores()} cores\n")
    print(f"| {options.size} JPEGs, compact model | images/s | CPU ms an image | of the first |")
    print("|---|---:|---:|---:|")
    first = statistics.median(cost for _, cost in results[options.only[0]])
    for name, rounds in results.items():
        rate, cost = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"| {name} | {rate:.1f} | {cost:.1f} | {cost / first:.2f} |")


if __name__ == "__main__":
    main()
