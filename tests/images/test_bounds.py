"""Time and memory of decoding are bounded, whatever the bytes are."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, RawImage, SourcePolicy, decode
from monitor.images.budget import DecodeBudget
from monitor.images.cancellation import Cancellation
from monitor.images.header import MOST_PARTS, MOST_QUICK_PIXELS
from monitor.images.inspection import inspect
from tests.steps import steps

from .pictures import JPEG, PNG, chunk, encode, scene

MANY = MOST_PARTS + 10
SIXTEEN_MILLION = 4_200


def tiff_of_small_tiles(n_tiles: int) -> bytes:
    tags = [(256, 4, 1, n_tiles), (257, 4, 1, 2), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
            (277, 3, 1, 1), (322, 4, 1, 1), (323, 4, 1, 1), (324, 4, 1, 8), (325, 4, 1, 1)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def tiff_of_many_values() -> bytes:
    n_values = 5 * MOST_PARTS
    tags = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (273, 4, n_values, 100)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4 * n_values + 100)


def gif_of_small_blocks() -> bytes:
    gif = encode(scene().quantize(16), "GIF")
    at = 13 + (3 << (gif[10] & 7) + 1)
    return gif[:at] + b"!\xfe" + b"\1a" * (5 * MOST_PARTS) + b"\0" + gif[at:]


def gif_of_empty_extensions() -> bytes:
    gif = encode(scene().quantize(16), "GIF")
    at = 13 + (3 << (gif[10] & 7) + 1)
    return gif[:at] + b"!\xfe\0" * (5 * MOST_PARTS) + gif[at:]


IN_PIECES: dict[str, Callable[[], bytes]] = {
    "JPEG of tiny EXIF segments": lambda: JPEG[:2] + b"\xff\xe1\0\x09Exif\0\0a" * MANY + JPEG[2:],
    "JPEG of tiny APP segments": lambda: JPEG[:2] + b"\xff\xe5\0\2" * MANY + JPEG[2:],
    "JPEG of comments": lambda: JPEG[:2] + b"\xff\xfe\0\2" * MANY + JPEG[2:],
    "JPEG of tables": lambda: JPEG[:2] + b"\xff\xdb\0\2" * MANY + JPEG[2:],
    "PNG of empty chunks": lambda: PNG[:33] + chunk(b"IDAT", b"") * MANY + PNG[33:],
    "PNG of small texts": lambda: PNG[:33] + chunk(b"tEXt", b"a\0b") * MANY + PNG[33:],
    "TIFF of one-pixel tiles": lambda: tiff_of_small_tiles(MANY),
    "TIFF of many values": tiff_of_many_values,
    "GIF of small comments": gif_of_small_blocks,
    "GIF of empty extensions": gif_of_empty_extensions,
}


@pytest.mark.parametrize("name", IN_PIECES)
def test_more_parts_than_pixels_need_are_refused_before_they_are_walked(name: str) -> None:
    outcome = decode(RawImage.of(IN_PIECES[name]()), SourcePolicy())
    assert isinstance(outcome, Failure)
    assert outcome.reason == "corrupt"
    assert "more than" in outcome.detail or "at most" in outcome.detail


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(JPEG[:2] + b"\xff" * 5_000_000 + JPEG[2:], id="JPEG padded"),
        pytest.param(JPEG[:2] + b"\xff\xe5\0\2" * 1_000 + JPEG[2:], id="JPEG of some segments"),
        pytest.param(PNG[:33] + chunk(b"IDAT", b"") * 1_000 + PNG[33:], id="PNG of some chunks"),
        pytest.param(
            b"P6 #" + b"a" * 60_000 + b"\n2 2 200 " + b"\xc8" * 12, id="PPM with a comment"
        ),
    ],
)
def test_odd_parts_are_passed_over(data: bytes) -> None:
    outcome, n_lines = steps(lambda: decode(RawImage.of(data), SourcePolicy()))
    assert isinstance(outcome, DecodedImage)
    # Some for each part, none for each byte.
    assert n_lines < 100_000


@pytest.mark.parametrize("most", [7, 254, 1_000, 65_535])
def test_odd_maximum_of_a_large_picture_costs_no_more_than_another(most: int) -> None:
    kind = "u1" if most < 256 else ">u2"
    samples = np.linspace(0, most, 3_000_000).astype(kind)
    data = b"P5\n2000 1500\n%d\n" % most + samples.tobytes()
    outcome, n_lines = steps(lambda: decode(RawImage.of(data), SourcePolicy()))
    assert n_lines < 10_000
    assert isinstance(outcome, DecodedImage)
    expected = np.rint(samples.astype(float) * 255 / most).reshape(1500, 2000)
    assert np.abs(np.asarray(outcome.image)[..., 0] - expected).max() <= 1


def test_many_small_bombs_are_one() -> None:
    import zlib

    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000)))
    outcome = decode(RawImage.of(PNG[:33] + text * 100 + PNG[33:]), SourcePolicy())
    assert isinstance(outcome, Failure)
    assert "bomb" in outcome.detail


def test_what_alone_takes_too_much_memory_is_refused() -> None:
    data = encode(scene(400, 300))
    outcome = decode(RawImage.of(data), SourcePolicy(max_decode_bytes=400_000))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "too_many_pixels"
    assert "at most 400,000: see max_decode_bytes" in outcome.detail
    assert isinstance(
        decode(RawImage.of(data), SourcePolicy(max_decode_bytes=1_200_000)), DecodedImage
    )


def test_the_largest_photographs_are_decoded_by_default() -> None:
    side = 7_000  # 49 megapixels
    for kind, options in (("JPEG", {"quality": 10}), ("PNG", {"compress_level": 1})):
        data = encode(Image.new("RGB", (side, side)), kind, **options)
        inspected = inspect(data, SourcePolicy())
        assert not isinstance(inspected, Failure), inspected


def test_the_budget_is_never_overdrawn_and_nobody_is_passed_over() -> None:
    budget = DecodeBudget(100, Cancellation())
    lock, held, most = threading.Lock(), 0, 0
    done: list[int] = []

    def hold(n_bytes: int) -> None:
        nonlocal held, most
        for _ in range(200):
            with budget.share() as share:
                assert share.take(n_bytes)
                with lock:
                    held += n_bytes
                    most = max(most, held)
                with lock:
                    held -= n_bytes
        done.append(n_bytes)

    threads = [threading.Thread(target=hold, args=(n,)) for n in (10, 20, 30, 60, 100, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [10, 20, 30, 60, 100, 100]
    assert most <= 100
    assert budget.n_free == 100


def test_a_large_image_waits_for_the_others_and_for_none_after_it() -> None:
    budget = DecodeBudget(100, Cancellation())
    order: list[str] = []

    def ask(name: str, n_bytes: int) -> None:
        with budget.share() as share:
            share.take(n_bytes)
            order.append(name)

    with budget.share() as first:
        first.take(50)
        large = threading.Thread(target=ask, args=("large", 80))
        large.start()
        while not budget._waiting:
            threading.Event().wait(0.001)
        small = threading.Thread(target=ask, args=("small", 10))
        small.start()
        while len(budget._waiting) < 2:
            threading.Event().wait(0.001)
        assert order == []
    large.join(10)
    small.join(10)
    assert order == ["large", "small"]


def test_a_cancellation_ends_the_wait_for_memory() -> None:
    cancellation = Cancellation()
    budget = DecodeBudget(100, cancellation)
    outcomes: list[bool] = []
    with budget.share() as share:
        share.take(100)
        thread = threading.Thread(target=lambda: outcomes.append(budget.share().take(1)))
        thread.start()
        while not budget._waiting:
            threading.Event().wait(0.001)
        cancellation.cancel()
        thread.join(10)
    assert outcomes == [False]
    assert budget.n_free == 100


def test_pixels_count_until_they_are_let_go() -> None:
    with ImageReader(SourcePolicy(max_decode_bytes=10_000_000)) as reader:
        raw = RawImage.of(encode(scene(300, 200)))
        with reader.decoding(raw) as decoded:
            assert isinstance(decoded, DecodedImage)
            assert reader._budget.n_free == 10_000_000 - 7 * 300 * 200
        assert reader._budget.n_free == 10_000_000
        assert isinstance(reader.decode(RawImage.of(b"<html>")), Failure)
        assert reader._budget.n_free == 10_000_000


@pytest.mark.parametrize(
    ("data", "is_quick"),
    [
        (JPEG, True),
        (PNG, True),
        (encode(scene(), "GIF"), True),
        (encode(scene(), "WEBP"), True),
        (encode(scene(), "BMP"), True),
        (encode(scene(), "TIFF"), True),
        (encode(scene(), "PPM"), True),
        (encode(scene(), "AVIF"), True),
        # libtiff writes to the process's own stderr.
        (encode(scene(), "TIFF", compression="tiff_lzw"), False),
        (encode(Image.new("1", (SIXTEEN_MILLION, SIXTEEN_MILLION))), False),
    ],
)
def test_what_is_quick_by_its_header_is_decoded_here(data: bytes, is_quick: bool) -> None:
    inspected = inspect(data, SourcePolicy())
    assert not isinstance(inspected, Failure)
    assert inspected.header.is_quick is is_quick
    assert SIXTEEN_MILLION**2 > MOST_QUICK_PIXELS


@pytest.mark.parametrize(
    "picture",
    [
        lambda: encode(scene(), "TIFF", compression="tiff_lzw"),
        lambda: encode(scene(), "TIFF", compression="tiff_lzw")[:-900] + b"broken" + bytes(894),
        lambda: encode(scene(), "TIFF")[:400],
        lambda: JPEG[:300],
        lambda: encode(scene().resize((3_000, 3_000)), "AVIF", quality=1, speed=10),
        lambda: PNG,
    ],
    ids=["tiff", "damaged tiff", "cut tiff", "cut jpeg", "avif", "png"],
)
def test_outcome_and_reason_do_not_depend_on_isolation(picture: Callable[[], bytes]) -> None:
    data = picture()
    outcomes = []
    for isolation in ("none", "process", "auto"):
        with ImageReader(SourcePolicy(isolation=isolation)) as reader:
            outcome = reader.read(data)
        outcomes.append(outcome if isinstance(outcome, Failure) else outcome.image.tobytes())
    assert outcomes[0] == outcomes[1] == outcomes[2]
