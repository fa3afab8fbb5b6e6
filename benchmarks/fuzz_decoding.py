"""Damaged images by the hundred thousand: does decoding ever raise, hang or swallow memory?

    python benchmarks/fuzz_decoding.py --mutants 100000

Real files of every accepted format are damaged at random (bits, bytes, cuts, copies, large numbers where
sizes stand, pieces of another file) and decoded. Each mutant must give an image or a Failure with a
reason, within --seconds, and take at most 4 x pixels x 4 bytes + 50 MB more memory at its peak than the
process had before: pixels of the image that came out, and of the largest allowed one where none did.
A mutant is told by the seed and its number; --only decodes that one again.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from monitor.failures import Failure
from monitor.images import RawImage, SourcePolicy, decode

POLICY = SourcePolicy(max_pixels=1_000_000)
OVERHEAD_BYTES = 50_000_000
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Of glibc: else it keeps what was freed, and the next image seems to take nothing.
_GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
_SIZES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_FORMATS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {"quality": 90}),
    ("JPEG", "RGB", {"quality": 90, "progressive": True}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "L", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {}),
    ("PNG", "I;16", {}),
    ("PNG", "1", {}),
    ("WEBP", "RGB", {"quality": 80}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("GIF", "P", {}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "RGB", {}),
    ("TIFF", "1", {"compression": "group4"}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    ("PPM", "1", {}),
    ("ICO", "RGBA", {"sizes": [(32, 32)]}),
    ("ICO", "RGBA", {"sizes": [(32, 32)], "bitmap_format": "bmp"}),
    ("AVIF", "RGB", {"quality": 60}),
    ("HEIF", "RGB", {"quality": 60}),
]


@dataclass(frozen=True)
class Outcome:
    """What one mutant did.

    Parameters
    ----------
    kind
        "image", or the reason of the failure.
    seconds
        How long it took.
    peak_bytes
        Memory at its peak beyond what there was before; 0 where that cannot be told.
    allowed_bytes
        The most that may be.
    """

    kind: str
    seconds: float
    peak_bytes: int
    allowed_bytes: int


def originals() -> list[bytes]:
    """Whole files of every format that can be written here, still and animated."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    scene = Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC)
    if features.check("webp") is False or features.check("avif") is False:
        raise SystemExit("this build of Pillow lacks WEBP or AVIF")
    found = []
    for kind, mode, options in _FORMATS:
        if kind == "HEIF" and not _registers_heif():
            print("without HEIC: the extra is not installed", file=sys.stderr)
            continue
        image = scene.convert("L").convert(mode) if mode in ("1", "I;16") else scene.convert(mode)
        found.append(_written(image, kind, options))
    exif = Image.Exif()
    exif[0x0112] = 6
    found.append(_written(scene, "JPEG", {"exif": exif}))
    turned = [scene, scene.rotate(90), scene.rotate(180)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        found.append(_written(scene, kind, {"save_all": True, "append_images": turned}))
    # As many pixels as the policy allows, for the sake of memory.
    large = scene.resize((1_000, 1_000), Image.Resampling.BICUBIC)
    found.append(_written(large, "JPEG", {"progressive": True}))
    found.append(_written(large.convert("RGBA"), "PNG", {"compress_level": 1}))
    found.append(_written(large, "WEBP", {"quality": 60}))
    return found


def _registers_heif() -> bool:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _written(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def mutant(files: list[bytes], seed: int, number: int) -> bytes:
    """The damaged file of this number; the same each time."""
    rng = random.Random(f"{seed}/{number}")
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8, 20))):
        if not data:
            break
        # Headers decide more than pixels do.
        end = len(data) if rng.random() < 0.5 else min(len(data), 128)
        at = rng.randrange(end)
        action = rng.randrange(8)
        if action == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif action == 1:
            data[at] = rng.randrange(256)
        elif action == 2:
            width = rng.choice((1, 2, 4))
            value = rng.choice(_SIZES) & ((1 << 8 * width) - 1)
            data[at : at + width] = value.to_bytes(width, rng.choice(("big", "little")))
        elif action == 3:
            del data[at : at + rng.choice((1, 4, 64, 1_000_000))]
        elif action == 4:
            data[at:at] = data[at : at + rng.choice((1, 16, 256))]
        elif action == 5:
            data[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
        elif action == 6:
            data[at : at + 16] = rng.randbytes(16)
        else:
            other = rng.choice(files)
            start = rng.randrange(len(other))
            data[at : at + 64] = other[start : start + 64]
    return bytes(data)


def decode_measured(data: bytes, policy: SourcePolicy = POLICY) -> Outcome:
    """Decode, and look at the clock and the memory."""
    before = _reset_peak()
    began = time.perf_counter()
    found = decode(RawImage.of(data), policy)
    seconds = time.perf_counter() - began
    peak = _kilobytes("VmHWM") * 1_024 - before if before else 0
    if isinstance(found, Failure):
        kind, n_pixels = found.reason, policy.max_pixels
    else:
        kind, n_pixels = "image", found.image.width * found.image.height
    return Outcome(kind, seconds, max(0, peak), 4 * n_pixels * 4 + OVERHEAD_BYTES)


def _reset_peak() -> int:
    """Let the peak begin anew; the memory now, in bytes, and 0 where that cannot be told."""
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return 0
    return _kilobytes("VmRSS") * 1_024


def _kilobytes(name: str) -> int:
    text = STATUS.read_text(encoding="ascii", errors="replace")
    return int(text.partition(f"{name}:")[2].split()[0])


def fuzz(n_mutants: int, *, seed: int = 0, longest_seconds: float = 5.0) -> Counter[str]:
    """Decode mutants 0 … n_mutants; how many came out as what.

    Raises
    ------
    AssertionError
        If one raises, is too slow or takes too much memory, with its number.
    """
    files = originals()
    kinds: Counter[str] = Counter()
    slowest = greediest = Outcome("", 0, 0, 1)
    for number in range(n_mutants):
        data = mutant(files, seed, number)
        faulthandler.dump_traceback_later(10 * longest_seconds, exit=True)
        try:
            found = decode_measured(data)
        except BaseException:
            print(f"mutant {number} of seed {seed} raised", file=sys.stderr)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        name = f"mutant {number} of seed {seed}"
        assert found.seconds <= longest_seconds, f"{name} took {found.seconds:.1f} s"
        assert found.peak_bytes <= found.allowed_bytes, f"{name} took {found.peak_bytes:,} bytes"
        kinds[found.kind] += 1
        slowest = max(slowest, found, key=lambda one: one.seconds)
        greediest = max(greediest, found, key=lambda one: one.peak_bytes / one.allowed_bytes)
        if (number + 1) % 20_000 == 0:
            print(f"  {number + 1:,} mutants", flush=True)
    print(
        f"slowest {slowest.seconds * 1e3:.0f} ms; most memory {greediest.peak_bytes / 1e6:.1f} MB of "
        f"{greediest.allowed_bytes / 1e6:.0f} MB allowed"
    )
    return kinds


def give_memory_back() -> None:
    """Start again with an allocator that gives freed blocks back, so that each peak is of one image."""
    if _GIVE_BACK.keys() - os.environ.keys():
        os.environ.update(_GIVE_BACK)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def main() -> None:
    give_memory_back()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5.0, help="longest for one mutant")
    parser.add_argument("--only", type=int, help="decode the mutant of this number alone")
    parser.add_argument("--files", type=Path, help="decode the files of this folder instead")
    given = parser.parse_args()
    if given.files is not None:
        for path in sorted(given.files.iterdir()):
            found = decode_measured(path.read_bytes(), SourcePolicy(max_pixels=4_000_000))
            print(json.dumps({"name": path.name, **asdict(found)}))
        return
    if given.only is not None:
        print(decode_measured(mutant(originals(), given.seed, given.only)))
        return
    began = time.monotonic()
    kinds = fuzz(given.mutants, seed=given.seed, longest_seconds=given.seconds)
    print(f"{given.mutants:,} mutants in {time.monotonic() - began:.0f} s, none raised:")
    for kind, count in kinds.most_common():
        print(f"  {count:>8,} {kind}")


if __name__ == "__main__":
    main()
