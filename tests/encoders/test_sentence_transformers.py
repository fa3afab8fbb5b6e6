"""The sentence-transformers handler: without the extra an error, with it the whole contract."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.encoders import EncoderSpec, ImageSpace, ModelHandler, load_encoder
from monitor.errors import EncoderError, MissingExtraError, ModelNotFoundError
from monitor.testing import EncoderContract, pictures


def st_spec(model: str, **options: Any) -> EncoderSpec:
    return EncoderSpec(
        handler=ModelHandler.SENTENCE_TRANSFORMERS, model=model, device="cpu", **options
    )


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"\[sentence-transformers\]"):
        load_encoder(st_spec("clip-ViT-B-32"))


def test_width_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert ImageSpace("image_url").length == 512
    assert ImageSpace("image_url", model="sentence-transformers/clip-ViT-L-14").length == 768


def write_clip(root: Path, seed: int) -> Path:
    """A tiny CLIP with random weights, in folders like those of clip-ViT-B-32."""
    transformers = pytest.importorskip("transformers")
    import torch
    from open_clip.tokenizer import bytes_to_unicode

    folder = root / "0_CLIPModel"
    folder.mkdir(parents=True)
    module = {"idx": 0, "name": "0", "path": folder.name}
    kind = {"type": "sentence_transformers.models.CLIPModel"}
    (root / "modules.json").write_text(json.dumps([module | kind]))
    letters = list(bytes_to_unicode().values())
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(
        vocab_file=str(folder / "vocab.json"),
        merges_file=str(folder / "merges.txt"),
        model_max_length=16,
    )
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    end = len(words) - 1
    text = tower | {
        "num_hidden_layers": 1,
        "max_position_embeddings": 16,
        "vocab_size": len(words),
        "bos_token_id": end - 1,
        "eos_token_id": end,
        "pad_token_id": end,
    }
    image = tower | {"num_hidden_layers": 2, "image_size": 32, "patch_size": 8}
    config = transformers.CLIPConfig(text_config=text, vision_config=image, projection_dim=24)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformers.CLIPModel(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)
    transformers.CLIPProcessor(processor, tokenizer).save_pretrained(folder)
    return root


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    pytest.importorskip("sentence_transformers")
    root = tmp_path_factory.mktemp("st")
    return {seed: write_clip(root / str(seed), seed) for seed in (0, 1)}


class TestContract(EncoderContract):
    @pytest.fixture
    def spec(self, models: dict[int, Path]) -> EncoderSpec:
        return st_spec(str(models[0]))

    @pytest.fixture
    def other_weights(self, models: dict[int, Path]) -> EncoderSpec:
        return st_spec(str(models[1]))


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_equal_to_its_own_encode(models: dict[int, Path], batch_size: int) -> None:
    from sentence_transformers import SentenceTransformer

    images = [image.convert("RGB") for image in pictures(33)]
    reference = SentenceTransformer(str(models[0]), device="cpu")
    theirs = reference.encode(images, normalize_embeddings=True, show_progress_bar=False)
    ours = load_encoder(st_spec(str(models[0]), batch_size=batch_size)).encode_images(images)
    assert (ours * theirs).sum(axis=1).min() >= 0.999999
    texts = ["a cat", "two dogs"]
    theirs = reference.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    ours = load_encoder(st_spec(str(models[0]))).encode_texts(texts)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_not_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sentence_transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ModelNotFoundError, match=r"hf download sentence-transformers/clip-ViT-B-16"
    ):
        load_encoder(st_spec("clip-ViT-B-16", model_cache_dir=str(tmp_path)))


def test_no_such_folder(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises((ModelNotFoundError, EncoderError), match="no such folder"):
        load_encoder(st_spec(str(tmp_path / "nothing")))
