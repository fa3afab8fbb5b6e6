"""What SIGKILL costs an embed: is its output whole and the same, and how much work is done twice?

    python benchmarks/killed_embeds.py --kills 100

Each trial embeds the same URLs of a real server with `monitor embed`, from nothing. It is killed at random
moments and started again until it ends by itself. Its table must then equal that of an undisturbed embed,
bit for bit, and its list of failures but for the times. Work done twice: requests that the server got
beyond one for each URL, and images whose encoding began beyond one for each image, each as a share.
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
import pandas  # noqa: F401 # loaded once, before the forks
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import monitor.cli.embedded
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
"""
EVERY_FAILING = 50
"""One in so many URLs is not found."""


@dataclass
class Counts:
    """Shared with the server and with each life; plain memory, which a killed process cannot lock."""

    requests: Any
    n_encodings: Any

    @classmethod
    def zero(cls, n_urls: int) -> Counts:
        return cls(RawArray("i", n_urls), RawValue("i", 0))

    def clear(self) -> None:
        self.requests[:] = [0] * len(self.requests)
        self.n_encodings.value = 0

    def repeated(self) -> tuple[float, float]:
        """The shares of requests and encodings beyond the first of each."""
        n_urls = len(self.requests)
        n_images = n_urls - len(range(0, n_urls, EVERY_FAILING))
        assert min(self.requests) >= 1, "a URL was never asked for"
        return sum(self.requests) / n_urls - 1, self.n_encodings.value / n_images - 1


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


def ends_within(child: int, seconds: float) -> bool:
    """Whether the process ends by itself within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number, status = os.waitpid(child, os.WNOHANG)
        if number:
            assert os.waitstatus_to_exitcode(status) == 0, "an embed failed: see its log.txt"
            return True
        time.sleep(0.002)
    return False


def embed(folder: Path, counts: Counts, kill_after: list[float]) -> int:
    """One embed that is killed after so many seconds of each life; how many kills met it alive."""
    n_kills = 0
    for seconds in kill_after:
        child = begin_life(folder, counts)
        if ends_within(child, seconds):
            return n_kills
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        n_kills += 1
    assert ends_within(begin_life(folder, counts), 600), "an embed hangs"
    return n_kills


def outcome(folder: Path) -> tuple[pa.Table, list[dict[str, str]]]:
    """The table and the list of failures of a finished embed."""
    with (folder / "out.failures.csv").open(encoding="utf-8", newline="") as file:
        failures = [{**row, "failed_at": ""} for row in csv.DictReader(file)]
    left = [path.name for path in folder.iterdir() if path.name.endswith(".partial")]
    assert len(left) <= 1, left
    return pq.read_table(folder / "out.parquet"), failures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="at least so many SIGKILLs in all")
    parser.add_argument("--kills-per-embed", type=int, default=1)
    parser.add_argument("--urls", type=int, default=2_000)
    parser.add_argument("--most-repeated", type=float, default=0.10, help="share, of each embed")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    # Each life inherits the model, so that kills meet the work and not the loading.
    photo = ImageEmbedding(name="photo", source_column="image", column="vector", model="compact")
    load_encoder(photo.encoder_spec)
    counts = Counts.zero(given.urls)
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
            (folder / "monitor.yaml").write_text(CONFIG.format(port=port.value), encoding="utf-8")
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
            n_left = min(given.kills_per_embed, given.kills - n_kills)
            n_met = embed(folder, counts, [rng.uniform(0, whole) for _ in range(n_left)])
            table, failures = outcome(folder)
            assert table.equals(expected[0]), f"another table than undisturbed: {folder}"
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
