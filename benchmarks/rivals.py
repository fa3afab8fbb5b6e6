"""Who else embeds images behind URLs: a dozen lines of anyone's, and other engines as these show it.

None checks what it fetches, says why a row failed, or measures pixels.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monitor.embedding.cores import n_cores

BATCH = 32
Work = Callable[[list[str]], object]
DECODE, ENCODE = "decode + preprocess alone", "encoder alone"
RIVALS = {
    DECODE: "decode_alone",
    ENCODE: "encoder_alone",
    "thread pool": "thread_pool",
    "batched loop": "batched_loop",
    "DataLoader": "data_loader",
    "one by one": "one_by_one",
}
SENTENCE_TRANSFORMERS, FASTEMBED = "sentence-transformers", "fastembed"
RAY, DAFT = "Ray Data by hand", "Daft by hand"
ENGINES = {
    SENTENCE_TRANSFORMERS: "sentence_transformers",
    FASTEMBED: "fastembed",
    RAY: "ray",
    DAFT: "daft",
}
"""The package of each."""


def rival(kind: str, model_name: str, pretrained: str | None, folder: Path) -> Work:
    """What a dozen lines do with requests, Pillow and open_clip, without failures, statistics or checks.

    And their parts: encoding tensors, and decoding with preprocessing.
    """
    import requests
    import torch

    from monitor.encoders.architecture import COMPACT_DIR
    from monitor.encoders.imports import open_clip

    name = f"local-dir:{COMPACT_DIR}" if model_name == "compact" else model_name
    model, transform = open_clip.create_model_from_pretrained(name, pretrained)
    model.eval()
    session = requests.Session()

    def decoded(data: bytes) -> torch.Tensor:
        return transform(Image.open(io.BytesIO(data)).convert("RGB"))

    def read(url: str) -> torch.Tensor:
        return decoded(session.get(url).content)

    def read_file(url: str) -> torch.Tensor:
        return decoded((folder / url.rpartition("/")[2]).read_bytes())

    def encode(tensors: list[torch.Tensor]) -> torch.Tensor:
        with torch.inference_mode():
            return model.encode_image(torch.stack(tensors), normalize=True)

    def parts(items: list[str], size: int = BATCH) -> Iterator[list[str]]:
        return (items[i : i + size] for i in range(0, len(items), size))

    def encoder_alone(urls: list[str]) -> object:
        tensors = [torch.rand(3, *model.visual.image_size)] * BATCH
        return [encode(tensors[: len(part)]) for part in parts(urls)]

    def decode_alone(urls: list[str]) -> object:
        with ThreadPoolExecutor(n_cores()) as pool:
            return sum(tensor.shape[0] for tensor in pool.map(read_file, urls))

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

    works = {
        f.__name__: f
        for f in (encoder_alone, decode_alone, one_by_one, batched_loop, thread_pool, data_loader)
    }
    return works[kind]


def engine(name: str, model: str, pretrained: str | None, place: Path) -> Work:
    """Another engine's way; `place` is for files of its model.

    sentence-transformers and fastembed have models of their own, here with the shape of ViT-B-32 and random
    weights, and fetch nothing: eight threads do it for them. Ray Data and Daft encode with open_clip, in two
    actors or in one class.
    """
    if name == SENTENCE_TRANSFORMERS:
        return _sentence_transformers(place / "st")
    if name == FASTEMBED:
        return _fastembed(pretrained, place / "fastembed")
    return (_ray if name == RAY else _daft)(model, pretrained)


def _fetched(url: str) -> Image.Image:
    import requests

    return Image.open(io.BytesIO(requests.get(url, timeout=60).content)).convert("RGB")


def _open_clip(model: str, pretrained: str | None) -> tuple[Any, Any]:
    """The model and its transform."""
    from monitor.encoders.architecture import COMPACT_DIR
    from monitor.encoders.imports import open_clip

    name = f"local-dir:{COMPACT_DIR}" if model == "compact" else model
    made, transform = open_clip.create_model_from_pretrained(name, pretrained)
    return made.eval(), transform


class _Encoder:
    """Images ─► vectors, as an actor or a class of a data engine has it."""

    def __init__(self, model: str, pretrained: str | None) -> None:
        self.model, self.transform = _open_clip(model, pretrained)

    def vectors(self, images: list[Image.Image]) -> np.ndarray:
        import torch

        with torch.inference_mode():
            batch = torch.stack([self.transform(image) for image in images])
            return self.model.encode_image(batch, normalize=True).numpy()


def _sentence_transformers(place: Path) -> Work:
    import torch
    import transformers
    from open_clip.tokenizer import bytes_to_unicode
    from sentence_transformers import SentenceTransformer

    folder = place / "0_CLIPModel"
    folder.mkdir(parents=True)
    kind = "sentence_transformers.models.CLIPModel"
    module = {"idx": 0, "name": "0", "path": folder.name, "type": kind}
    (place / "modules.json").write_text(json.dumps([module]))
    letters = list(bytes_to_unicode().values())
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(
        vocab_file=str(folder / "vocab.json"), merges_file=str(folder / "merges.txt")
    )
    torch.manual_seed(0)
    # The configuration's defaults are those of ViT-B/32.
    transformers.CLIPModel(transformers.CLIPConfig()).save_pretrained(folder)
    processor = transformers.CLIPImageProcessor()
    transformers.CLIPProcessor(processor, tokenizer).save_pretrained(folder)
    model = SentenceTransformer(str(place), device="cpu")

    def work(urls: list[str]) -> object:
        with ThreadPoolExecutor(8) as pool:
            images = list(pool.map(_fetched, urls))
        return model.encode(images, batch_size=BATCH, show_progress_bar=False)

    return work


def _fastembed(pretrained: str | None, place: Path) -> Work:
    import warnings

    import torch
    from fastembed import ImageEmbedding

    made, _ = _open_clip("ViT-B-32", pretrained)
    place.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            made.visual,
            (torch.zeros(1, 3, 224, 224),),
            str(place / "model.onnx"),
            dynamo=False,
            input_names=["pixel_values"],
            output_names=["image_embeds"],
            dynamic_axes={"pixel_values": {0: "n"}, "image_embeds": {0: "n"}},
        )
    processor = {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": 224},
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "do_normalize": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }
    (place / "preprocessor_config.json").write_text(json.dumps(processor))
    model = ImageEmbedding("Qdrant/clip-ViT-B-32-vision", specific_model_path=str(place))

    def work(urls: list[str]) -> object:
        with ThreadPoolExecutor(8) as pool:
            return list(model.embed(pool.map(_fetched, urls), batch_size=BATCH))

    return work


def _ray(model: str, pretrained: str | None) -> Work:
    import ray

    class Embed(_Encoder):
        def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            with ThreadPoolExecutor(8) as pool:
                return {"v": self.vectors(list(pool.map(_fetched, batch["url"])))}

    def work(urls: list[str]) -> object:
        if not ray.is_initialized():
            ray.init(
                num_cpus=n_cores(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
            )
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = context.print_on_execution_start = False
        actors = ray.data.ActorPoolStrategy(size=n_cores())
        rows = ray.data.from_items([{"url": url} for url in urls])
        made = rows.map_batches(
            Embed,
            fn_constructor_args=(model, pretrained),
            batch_size=BATCH,
            compute=actors,
            num_cpus=1,
        )
        return made.take_all()

    return work


def _daft(model: str, pretrained: str | None) -> Work:
    import daft
    from daft.functions import decode_image, download

    @daft.cls(use_process=False)
    class Embed(_Encoder):
        @daft.method.batch(
            return_dtype=daft.DataType.list(daft.DataType.float32()), batch_size=BATCH
        )
        def __call__(self, images: daft.Series) -> list[np.ndarray]:
            return list(self.vectors([Image.fromarray(pixels) for pixels in images.to_pylist()]))

    embed = Embed(model, pretrained)

    def work(urls: list[str]) -> object:
        rows = daft.from_pydict({"url": urls})
        images = decode_image(download(rows["url"]), mode="RGB")
        return rows.with_column("v", embed(images)).select("v").collect()

    return work
