"""What SIGKILL costs an embed: is its output whole and the same, and how much work is done twice?

    python benchmarks/killed_embeds.py --kills 100
    python benchmarks/killed_embeds.py --kills 3 --kills-per-embed 3 --urls 20000 --executor ray

Each trial embeds the same URLs of a real server with `monitor embed`, from nothing. It is killed when a
random share of what was left to do is done, or some moments later, and started again until it ends by
itself. Its table must then equal that of an undisturbed embed, bit for bit, and its list of failures but for
the times. Work done twice: requests that the server got beyond one for each URL, and images whose encoding
began beyond one for each image, each as a share.

With Ray, the process that is killed is the one that gives out the work, and its cluster goes with it. What
its workers encode is not counted, and vectors may differ by rounding, since pieces do.
"""

from __future__ import annotations

import os

# One process is forked for each life of an embed, which threads of these libraries would not survive.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import csv
import io
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.sharedctypes import RawArray, RawValue
from pathlib import Path
from typing import Any

import numpy as np

# What is not used here is loaded once, before the forks.
import pandas  # noqa: F401
import pyarrow as pa
import pyarrow.parquet as pq
import requests  # noqa: F401
from PIL import Image

import monitor.cache
import monitor.cli.embedded
import monitor.embedding
import monitor.images
import monitor.pipeline.embed  # noqa: F401
from monitor import ImageEmbedding
from monitor.cli import main as command
from monitor.encoders import load_encoder, open_clip

CONFIG = """\
features:
  - {{name: photo, type: FROM_IMAGE_EMBEDDING, source_column: image, column: vector, model: compact}}
data:
  baseline: {{path: images.parquet}}
  production: {{path: images.parquet}}
sources: {{hosts: ["127.0.0.1:{port}"], allow_private: true}}
executor: {executor}
"""
EXECUTORS = {"local": "{type: local}", "ray": "{type: ray, workers: 2}"}
EVERY_FAILING = 50
"""One in so many URLs is not found."""


@dataclass
class Counts:
    """Shared with the server and with each life; plain memory, which a killed process cannot lock."""

    requests: Any
    n_encodings: Any
    sees_encodings: bool

    @classmethod
    def zero(cls, n_urls: int, *, sees_encodings: bool) -> Counts:
        return cls(RawArray("i", n_urls), RawValue("i", 0), sees_encodings)

    def clear(self) -> None:
        self.requests[:] = [0] * len(self.requests)
        self.n_encodings.value = 0

    @property
    def n_images(self) -> int:
        n_urls = len(self.requests)
        return n_urls - len(range(0, n_urls, EVERY_FAILING))

    def n_left(self) -> int:
        """How many URLs were never asked for, and how many images are not encoded, together."""
        n_not_asked = len(self.requests) - sum(map(bool, self.requests))
        if not self.sees_encodings:
            return n_not_asked
        return n_not_asked + self.n_images - self.n_encodings.value

    def repeated(self) -> tuple[float, float]:
        """The shares of requests and encodings beyond the first of each."""
        n_urls = len(self.requests)
        assert min(self.requests) >= 1, "a URL was never asked for"
        encoded = self.n_encodings.value / self.n_images if self.sees_encodings else 1.0
        return sum(self.requests) / n_urls - 1, encoded - 1


def picture(i: int) -> bytes:
    """A small PNG, another for each i."""
    rng = np.random.default_rng(i)
    smooth = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(smooth).resize((96, 96), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def serve(n_urls: int, counts: Counts, port: Any) -> None:
    """Answer /0 … /n with pictures, until terminated."""
    pictures = [picture(i) for i in range(n_urls)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            i = int(self.path.strip("/"))
            counts.requests[i] += 1
            is_there = i % EVERY_FAILING != 0
            body = pictures[i] if is_there else b"no"
            self.send_response(200 if is_there else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            pass  # the killed hang up in the middle

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port.value = server.server_port
    server.serve_forever()


def begin_life(folder: Path, counts: Counts) -> int:
    """Start `monitor embed` in a process of its own; its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        quiet = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(folder)
        encode = open_clip.OpenClipEncoder.encode_batch

        def counted(self: Any, tensors: Any) -> Any:
            counts.n_encodings.value += len(tensors)
            return encode(self, tensors)

        open_clip.OpenClipEncoder.encode_batch = counted  # type: ignore[method-assign]
        words = ["embed", "--input", "images.parquet", "--output", "out.parquet"]
        status = int(command(words, standalone_mode=False) or 0)
    finally:
        os._exit(status)


def has_ended(child: int) -> bool:
    """Whether the process has ended by itself."""
    number, status = os.waitpid(child, os.WNOHANG)
    if number:
        assert os.waitstatus_to_exitcode(status) == 0, "an embed failed: see its log.txt"
    return bool(number)


def embed(folder: Path, counts: Counts, kills: list[tuple[float, float]]) -> int:
    """One embed, each life killed so long after a share of what was left; how many kills met it."""
    n_kills = 0
    for share, seconds in kills:
        n_left = counts.n_left() * (1 - share)
        child = begin_life(folder, counts)
        while counts.n_left() > n_left:
            if has_ended(child):
                return n_kills
            time.sleep(0.002)
        time.sleep(seconds)
        if has_ended(child):
            return n_kills
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        n_kills += 1
    _, status = os.waitpid(begin_life(folder, counts), 0)
    assert os.waitstatus_to_exitcode(status) == 0, "an embed failed: see its log.txt"
    return n_kills


def outcome(folder: Path) -> tuple[pa.Table, list[dict[str, str]]]:
    """The table and the list of failures of a finished embed."""
    with (folder / "out.failures.csv").open(encoding="utf-8", newline="") as file:
        failures = [{**row, "failed_at": ""} for row in csv.DictReader(file)]
    left = [path.name for path in folder.iterdir() if path.name.endswith(".partial")]
    assert len(left) <= 1, left
    return pq.read_table(folder / "out.parquet"), failures


def is_same(table: pa.Table, expected: pa.Table, executor: str) -> bool:
    """Bit for bit; with Ray, all but the last bits of vectors."""
    if executor == "local":
        return bool(table.equals(expected))
    first, second = (
        np.asarray(each["vector"].combine_chunks().flatten()) for each in (table, expected)
    )
    others = table.drop_columns("vector").equals(expected.drop_columns("vector"))
    missing = table["vector"].is_null().equals(expected["vector"].is_null())
    return others and missing and bool(np.allclose(first, second, atol=1e-5))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="at least so many SIGKILLs in all")
    parser.add_argument("--kills-per-embed", type=int, default=1)
    parser.add_argument("--urls", type=int, default=2_000)
    parser.add_argument("--most-repeated", type=float, default=0.10, help="share, of each embed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--executor", choices=EXECUTORS, default="local")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    # Each life inherits the model, so that kills meet the work and not the loading.
    photo = ImageEmbedding(name="photo", source_column="image", column="vector", model="compact")
    load_encoder(photo.encoder_spec)
    counts = Counts.zero(given.urls, sees_encodings=given.executor == "local")
    port = RawValue("i", 0)
    context = multiprocessing.get_context("fork")
    server = context.Process(target=serve, args=(given.urls, counts, port), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as top:
        while not port.value:
            time.sleep(0.01)

        def project(name: str) -> Path:
            folder = Path(top, name)
            folder.mkdir()
            config = CONFIG.format(port=port.value, executor=EXECUTORS[given.executor])
            (folder / "monitor.yaml").write_text(config, encoding="utf-8")
            urls = [f"http://127.0.0.1:{port.value}/{i}" for i in range(given.urls)]
            pq.write_table(pa.table({"image": urls}), folder / "images.parquet")
            return folder

        calm = project("calm")
        began = time.monotonic()
        embed(calm, counts, [])
        whole = time.monotonic() - began
        assert counts.repeated() == (0.0, 0.0), counts.repeated()
        expected = outcome(calm)
        n_vectors = given.urls - expected[0]["vector"].null_count
        print(f"undisturbed: {given.urls:,} URLs, {n_vectors:,} vectors, {whole:.1f} s", flush=True)

        began = time.monotonic()
        n_kills = n_embeds = 0
        worst = total = np.zeros(2)
        while n_kills < given.kills:
            folder = project(f"embed{n_embeds}")
            counts.clear()
            n_planned = min(given.kills_per_embed, given.kills - n_kills)
            # Some meet it when all is encoded and the table is being written.
            kills = [(rng.random(), rng.uniform(0, whole / 20)) for _ in range(n_planned)]
            n_met = embed(folder, counts, kills)
            table, failures = outcome(folder)
            assert is_same(table, expected[0], given.executor), f"another table: {folder}"
            assert failures == expected[1], f"other failures than undisturbed: {folder}"
            shutil.rmtree(folder)
            if n_met:
                repeated = np.array(counts.repeated())
                worst, total = np.maximum(worst, repeated), total + repeated
                n_embeds += 1
                n_kills += n_met
                print(
                    f"  {n_kills} kills: repeated requests {repeated[0]:.1%}, encodings "
                    f"{repeated[1]:.1%}",
                    flush=True,
                )
    server.terminate()
    mean = total / n_embeds
    print(
        f"{n_kills} SIGKILLs in {n_embeds} embeds, {time.monotonic() - began:.0f} s: every output whole "
        f"and the same.\nRepeated requests: mean {mean[0]:.1%}, most {worst[0]:.1%}; encodings: mean "
        f"{mean[1]:.1%}, most {worst[1]:.1%}"
    )
    if worst.max() > given.most_repeated:
        sys.exit(f"more than {given.most_repeated:.0%} of the work was repeated")


if __name__ == "__main__":
    main()
