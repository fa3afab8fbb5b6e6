"""What a GPU does with image encoders, and what stands in its way: images a second, and share of its ceiling.

    python benchmarks/gpu.py [--models ViT-B-32 ViT-L-14] [--images 8192] [--batch 256] [--compile]

One command, less than ten minutes on one GPU. Weights are random, which changes no time; it needs no
network. For each model the *ceiling* is its image tower on batches that lie in the GPU's memory already, in
bfloat16, channels last. *Tensors in* are pictures as preprocessing leaves them, in the host's memory, given
to our encoder. Then JPEG bytes: read by `monitor.embed` as it is by itself, and by threads alone; by a
DataLoader of as many processes as there are cores; and decoded by the GPU. What one core reads in a second,
times the cores, is the host's ceiling: the lower of the two is what bounds.

Without a GPU it says so and ends; `--device cpu` runs all of it but the GPU's JPEG decoder, to see that it
works.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from monitor.embedding import LocalExecutor
from monitor.embedding.cores import n_cores
from monitor.embedding.reading import CellReading
from monitor.encoders import EncoderSpec, load_encoder
from monitor.encoders.imports import open_clip
from monitor.encoders.traits import traits_of
from monitor.images import ImageReader

Step = Callable[[], object]


def jpegs(n: int, size: tuple[int, int] = (640, 480)) -> list[bytes]:
    """`n` JPEGs with shapes in them, of which a hundred are different."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(min(n, 100)):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        stream = io.BytesIO()
        coarse.resize(size, Image.Resampling.BICUBIC).save(stream, "JPEG", quality=88)
        drawn.append(stream.getvalue())
    return [drawn[i % len(drawn)] for i in range(n)]


class Encoding:
    """One model on one device, as a GPU likes it: bfloat16, channels last, bytes until the last moment."""

    def __init__(self, model: Any, transform: Any, device: str, *, compiled: bool) -> None:
        self.device = torch.device(device)
        on_cuda = self.device.type == "cuda"
        self.dtype = torch.bfloat16 if on_cuda else torch.float32
        tower = model.visual.eval().to(self.device, memory_format=torch.channels_last)
        # Whole, not by autocast, which casts the weights of each batch anew (a quarter slower).
        self.tower = tower.to(self.dtype)
        self.call = torch.compile(self.tower) if compiled else self.tower
        self.transform = transform
        self.side = int(np.max(model.visual.image_size))
        normalize = transform.transforms[-1]
        self.mean, self.std = (
            torch.tensor(values, device=self.device)[:, None, None] * 255
            for values in (normalize.mean, normalize.std)
        )

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """Unit vectors (n, width) of uint8 `pictures` (n, 3, side, side) on the device."""
        with torch.inference_mode():
            scaled = ((pictures.float() - self.mean) / self.std).to(self.dtype)
            rows = self.call(scaled.contiguous(memory_format=torch.channels_last))
        return torch.nn.functional.normalize(rows.float(), dim=-1)

    def picture(self, data: bytes) -> torch.Tensor:
        """What a processor's core does with one JPEG: uint8 (3, side, side)."""
        image = Image.open(io.BytesIO(data)).convert("RGB")
        for step in self.transform.transforms[:-2]:
            image = step(image)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def in_memory(encoding: Encoding, batch: int, n: int) -> None:
    """The ceiling: nothing but the tower."""
    shape = (batch, 3, encoding.side, encoding.side)
    pictures = torch.randint(0, 256, shape, dtype=torch.uint8, device=encoding.device)
    for _ in range(-(-n // batch)):
        encoding.encode(pictures)
    encoding.wait()


def copied(encoding: Encoding, batches: Iterator[torch.Tensor]) -> None:
    """Batches of the host's, copied beside the encoding of the one before, two in pinned memory at a time."""
    on_gpu = encoding.device.type == "cuda"
    copying = torch.cuda.Stream() if on_gpu else None
    buffers: list[torch.Tensor] = []
    copies: list[Any] = [None, None]
    rows = []
    for i, pictures in enumerate(batches):
        if not on_gpu:
            rows.append(encoding.encode(pictures))
            continue
        if len(buffers) < 2:
            buffers.append(torch.empty_like(pictures, pin_memory=True))
        if copies[i % 2] is not None:
            copies[i % 2].synchronize()
        held = buffers[i % 2][: len(pictures)].copy_(pictures)
        with torch.cuda.stream(copying):
            moved = held.to(encoding.device, non_blocking=True)
            copies[i % 2] = torch.cuda.Event()
            copies[i % 2].record(copying)
        torch.cuda.current_stream().wait_event(copies[i % 2])
        moved.record_stream(torch.cuda.current_stream())
        rows.append(encoding.encode(moved))
    encoding.wait()
    torch.cat(rows).cpu()


def decoded_by_gpu(encoding: Encoding, data: list[bytes], batch: int) -> Iterator[torch.Tensor]:
    """JPEGs decoded and resized by the GPU: other pixels than Pillow's, by a grey level or two."""
    from torchvision.io import decode_jpeg
    from torchvision.transforms.v2.functional import center_crop, resize

    for first in range(0, len(data), batch):
        parts = [
            torch.frombuffer(bytearray(d), dtype=torch.uint8) for d in data[first : first + batch]
        ]
        pictures = decode_jpeg(parts, device="cuda")
        yield torch.stack(
            [center_crop(resize(p, [encoding.side]), [encoding.side]) for p in pictures]
        )


class Jpegs(torch.utils.data.Dataset[torch.Tensor]):
    """For a DataLoader: JPEGs as uint8 tensors."""

    def __init__(self, encoding: Encoding, data: list[bytes]) -> None:
        self.transform, self.data = encoding.transform, data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, i: int) -> torch.Tensor:
        image = Image.open(io.BytesIO(self.data[i])).convert("RGB")
        for step in self.transform.transforms[:-2]:
            image = step(image)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def data_loader(encoding: Encoding, data: list[bytes], batch: int) -> Iterator[torch.Tensor]:
    on_gpu = encoding.device.type == "cuda"
    return iter(
        torch.utils.data.DataLoader(
            Jpegs(encoding, data),
            batch,
            num_workers=n_cores(),
            pin_memory=on_gpu,
            prefetch_factor=4,
        )
    )


class Ours:
    """`monitor.embed` and its parts, by the weights that lie in `folder`."""

    def __init__(self, folder: Path, options: argparse.Namespace, data: list[bytes]) -> None:
        self.folder, self.options, self.data = folder, options, data

    def engine(self, preprocessing: str) -> dict[str, Any]:
        precision = "bfloat16" if self.options.device.startswith("cuda") else "float32"
        return {
            "device": self.options.device,
            "batch_size": self.options.batch,
            "precision": precision,
            "preprocessing": preprocessing,
        }

    def encoder(self, preprocessing: str) -> Any:
        values = {"handler": "open_clip", "model": f"local-dir:{self.folder}"}
        return load_encoder(EncoderSpec.model_validate(values | self.engine(preprocessing)))

    def tensors_in(self) -> Step:
        """Batches of pictures in the host's memory, one brought to the GPU while another is encoded."""
        encoder = self.encoder("exact")
        image = Image.open(io.BytesIO(self.data[0]))
        pictures = [encoder.preprocess(image).clone() for _ in range(self.options.batch)]

        def work() -> None:
            with ThreadPoolExecutor(traits_of(encoder).at_once) as threads:
                n = -(-len(self.data) // len(pictures))
                list(threads.map(encoder.encode_batch, [pictures] * n))

        return work

    def jpegs_in(self, preprocessing: str, processes: int | None) -> Step:
        """The whole verb."""
        import pandas as pd

        import monitor

        space = monitor.ImageSpace(
            "i",
            model=f"local-dir:{self.folder}",
            embedding_engine_config=self.engine(preprocessing),
        )
        feature = monitor.ImageEmbedding(name="p", source_column="i", column="v", space=space)
        # Equal bytes are encoded once: a comment behind the image tells them apart.
        rows = pd.DataFrame({"i": [d + str(i).encode() for i, d in enumerate(self.data)]})
        # Threads alone need not show it on all of them.
        rows = rows if processes is None else rows[: max(len(rows) // 8, self.options.batch)]
        executor = LocalExecutor(processes=processes)

        def work() -> float:
            began = time.perf_counter()
            table = monitor.embed(rows, feature, executor=executor, progress=False)
            assert table["v_failure"].isna().all()
            return len(rows) / (time.perf_counter() - began)

        return work

    def read_by_one_core(self, preprocessing: str) -> float:
        """Images that one core decodes, measures and preprocesses in a second."""
        with ImageReader() as reader:
            reading = CellReading(reader, self.encoder(preprocessing), None)
            part = self.data[:128]
            reading.read_all(part[:8])
            began = time.process_time()
            reading.read_all(part)
            return len(part) / (time.process_time() - began)


def rate(step: Step, n: int, rounds: int = 3) -> float:
    """Images a second, the median of `rounds` after a first one; as `step` says, if it does."""
    step()
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        stated = step()
        rates.append(stated if isinstance(stated, float) else n / (time.perf_counter() - start))
    return statistics.median(rates)


def saved(name: str, folder: Path) -> tuple[Any, Any]:
    """The model `name` with random weights, as it lies in `folder` afterwards, and its transform."""
    import json

    torch.manual_seed(0)
    model, _, transform = open_clip.create_model_and_transforms(name)
    config = {
        "model_cfg": open_clip.get_model_config(name),
        "preprocess_cfg": model.visual.preprocess_cfg,
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(
        {key: value.contiguous() for key, value in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    return model, transform


def table_of(name: str, options: argparse.Namespace) -> None:
    """Print the table of one model."""
    data = jpegs(options.images)
    batch, n = options.batch, options.images
    with tempfile.TemporaryDirectory() as place:
        model, transform = saved(name, Path(place))
        encoding = Encoding(model, transform, options.device, compiled=options.compile)
        ceiling = rate(partial(in_memory, encoding, batch, n), n)
        ours = Ours(Path(place), options, data)
        host = {mode: ours.read_by_one_core(mode) for mode in ("exact", "fast")}
        ways: dict[str, Step] = {
            "tensors in, our encoder": ours.tensors_in(),
            "JPEGs, monitor.embed, fast": ours.jpegs_in("fast", None),
            "JPEGs, monitor.embed, exact": ours.jpegs_in("exact", None),
            "JPEGs, monitor.embed, exact, threads alone": ours.jpegs_in("exact", 0),
            f"JPEGs, DataLoader of {n_cores()} processes, exact": lambda: copied(
                encoding, data_loader(encoding, data, batch)
            ),
        }
        if encoding.device.type == "cuda":
            ways["JPEGs, decoded by the GPU, nothing measured"] = lambda: (
                [encoding.encode(p) for p in decoded_by_gpu(encoding, data, batch)]
                and encoding.wait()
            )
        print(f"\n{name}, random weights, {batch} a batch, {options.device}, {torch.__version__}")
        for mode, speed in host.items():
            print(
                f"one core decodes, measures and preprocesses, {mode}: {speed:.0f} images/s; "
                f"{n_cores()} cores: {speed * n_cores():.0f}"
            )
        print("\n| way | images/s | of the ceiling | bound by |\n|---|---:|---:|---|")
        print(
            f"| ceiling, {'compiled ' if options.compile else ''}{encoding.dtype} | {ceiling:.0f} | 1.00 | |"
        )
        for way, step in ways.items():
            speed = rate(step, n, 1 if "JPEGs" in way else 3)
            share = speed / ceiling
            why = bound(way, share, host, ceiling)
            print(f"| {way} | {speed:.0f} | {share:.2f} | {why} |", flush=True)


def bound(way: str, share: float, host: dict[str, float], ceiling: float) -> str:
    """What keeps `way`, which reaches `share` of the ceiling, from being faster."""
    if "threads alone" in way:
        return "one Python process"
    if "tensors" in way or "by the GPU" in way:
        return "the GPU" if share >= 0.8 else "copies and launches by one Python process"
    if host["fast" if "fast" in way else "exact"] * n_cores() < ceiling:
        return "decoding on the cores"
    return "the GPU, and the start of the processes" if "embed" in way else "the GPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=["ViT-B-32", "ViT-L-14"])
    parser.add_argument("--images", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("there is no CUDA device here: this benchmark is for machines with a GPU")
    for name in options.models:
        table_of(name, options)


if __name__ == "__main__":
    main()
