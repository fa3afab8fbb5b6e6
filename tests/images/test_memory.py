"""What hostile images and servers cost at most: memory and time, each measured in a process of its own.

The peak is the kernel's own count (VmHWM), begun anew before each fetch or decoding.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import monitor.images

from .pictures import bomb, encode, png_claiming, png_with
from .servers import Handler, Server, answer, drip, flood, redirect, silence

CAP = 2_000_000
DEADLINE = 0.5
ROOT = Path(monitor.images.__file__).parents[2]

pytestmark = [
    pytest.mark.skipif(
        not os.access("/proc/self/clear_refs", os.W_OK),
        reason="only Linux tells the peak of memory",
    ),
    pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="there are no benchmarks here"),
]

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def hostile() -> dict[str, bytes | Handler]:
    """What a server may answer, by its path."""
    return {
        "endless body": flood(b"a" * 65_536, HEAD + b"\r\n"),
        "endless chunks": flood(b"10000\r\n" + b"a" * 65_536 + b"\r\n", CHUNKED),
        "endless headers": flood(b"X: " + b"a" * 60_000 + b"\r\n", HEAD),
        "one endless header": flood(b"a" * 65_536, HEAD + b"X: "),
        "endless status line": flood(b"a" * 65_536),
        "flood of 1xx": flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        "declared as huge": answer(b"", headers={"Content-Length": "99999999999"}),
        "gzip bomb": answer(bomb(), headers={"Content-Encoding": "gzip"}),
        "redirect with a huge body": redirect("/", b"a" * 50_000_000),
        "drip": drip(b"a", 0.01, HEAD + b"Content-Length: 99999\r\n\r\n"),
        "silence": silence,
    }


# Once kindly, so that all is loaded, then as asked.
FETCH = """
import json, sys
from fuzz_decoding import _kilobytes, _reset_peak
from monitor.images import ImageReader, SourcePolicy

host, url, cap, deadline = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
policy = SourcePolicy(
    hosts=[host], allow_private=True, max_bytes=cap, deadline_seconds=deadline, retries=0, max_host_failures=0
)
with ImageReader(policy) as reader:
    reader.fetch(f"{url}/kind")
    for kind in sys.argv[5:]:
        before = _reset_peak()
        outcome = reader.fetch(f"{url}/{kind}".replace(" ", "-"))
        peak = _kilobytes("VmHWM") * 1024 - before
        print(json.dumps({"kind": kind, "reason": outcome.reason, "peak": peak}))
"""


def test_a_hostile_server_costs_no_more_than_cap_and_deadline():
    handlers = hostile()
    routes = {f"/{kind}".replace(" ", "-"): handler for kind, handler in handlers.items()}
    with Server({"/kind": answer(b"kind")} | routes) as server:
        done = subprocess.run(
            [
                sys.executable, "-c", FETCH, server.host, server.url, str(CAP), str(DEADLINE),
                *handlers,
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}"},
        )  # fmt: skip
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    assert [measurement["kind"] for measurement in measured] == [*handlers]
    for measurement in measured:
        assert measurement["peak"] <= CAP + 5_000_000, measurement


LARGE = [
    "PNG RGBA", "PNG palette", "PNG 16 bits", "JPEG", "JPEG progressive", "JPEG CMYK", "WEBP", "GIF",
    "BMP", "TIFF", "TIFF float", "AVIF",
]  # fmt: skip
HUGE = ["too many pixels", "text bomb", "profile bomb"]


def large_files() -> Iterator[bytes]:
    """Files of four million pixels, in the order of `LARGE`."""
    noise = np.random.default_rng(0).integers(0, 256, (2_000, 2_000, 4), dtype=np.uint8)
    whole, colour = Image.fromarray(noise), Image.fromarray(noise[..., :3])
    few = Image.fromarray(noise[..., 0] // 4, "P")
    few.putpalette(bytes(range(192)))
    grey = noise[..., 0]
    yield encode(whole, compress_level=1)
    yield encode(few, compress_level=1)
    yield encode(Image.fromarray(grey.astype(np.uint16) * 257), compress_level=1)
    yield encode(colour, "JPEG")
    yield encode(colour, "JPEG", progressive=True)
    yield encode(colour.convert("CMYK"), "JPEG")
    yield encode(whole, "WEBP", quality=30, method=0)
    yield encode(few, "GIF")
    yield encode(colour, "BMP")
    yield encode(whole, "TIFF", compression="tiff_lzw")
    yield encode(Image.fromarray(grey.astype(np.float32) / 255), "TIFF")
    yield encode(colour, "AVIF", quality=30, speed=10)


def huge_files() -> Iterator[bytes]:
    """Files that claim to be more, in the order of `HUGE`."""
    yield png_claiming(65_500, 65_500)
    yield png_with(b"zTXt", b"Comment\0\0" + bomb())
    yield png_with(b"iCCP", b"icc\0\0" + bomb())


def run_fuzz(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "fuzz_decoding.py"), *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done.stdout


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What decoding each of the files took, in a process that gives memory back between them."""
    folder = tmp_path_factory.mktemp("files")
    for name, data in zip([*LARGE, *HUGE], chain(large_files(), huge_files()), strict=True):
        (folder / name).write_bytes(data)
    lines = map(json.loads, run_fuzz("--files", str(folder)).splitlines())
    return {line["name"]: line for line in lines}


@pytest.mark.parametrize("kind", [*LARGE, *HUGE])
def test_decoding_takes_no_more_memory_than_its_pixels_are_worth(measured, kind):
    measurement = measured[kind]
    assert (measurement["kind"] == "image") is (kind in LARGE), measurement
    assert measurement["allowed_bytes"] == 16 * 4_000_000 + 50_000_000
    assert measurement["peak_bytes"] <= measurement["allowed_bytes"], measurement
    if kind in LARGE:
        # The measure itself is alive: the pixels are somewhere.
        assert measurement["peak_bytes"] >= 3 * 4_000_000, measurement


def test_damaged_files_of_every_format_neither_raise_nor_hang_nor_swallow_memory():
    printed = run_fuzz("--mutants", "600", "--seed", "1")
    assert "600 mutants in" in printed
    counts = {
        line.split()[1]: int(line.split()[0].replace(",", "")) for line in printed.splitlines()[2:]
    }
    assert sum(counts.values()) == 600
    assert min(counts[kind] for kind in ("image", "corrupt", "truncated")) > 20
