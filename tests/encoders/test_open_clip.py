"""Our open_clip encoder against open_clip itself, and every way its weights can be missing."""

from __future__ import annotations

import json
import logging
import pickle  # noqa: TID251 - to write a trap that must not spring
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from monitor.encoders import EncoderSpec, ImageSpace, ModelHandler, architecture, load_encoder
from monitor.encoders.imports import open_clip
from monitor.encoders.pictures import Staging
from monitor.errors import EncoderError, MissingWeightsError, ModelNotFoundError
from monitor.testing import EncoderContract, pictures

from .tiny import ARCHITECTURES, RESNET, VIT, fresh, random_state, write_model


def open_clip_spec(model: str, **options: Any) -> EncoderSpec:
    return EncoderSpec(handler=ModelHandler.OPEN_CLIP, model=model, device="cpu", **options)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with tiny models: each architecture, and the ViT with other weights."""
    root = tmp_path_factory.mktemp("models")
    made = {name: write_model(root / name, config) for name, config in ARCHITECTURES.items()}
    return made | {
        f"other-{name}": write_model(root / f"other-{name}", config, seed=1)
        for name, config in ARCHITECTURES.items()
    }


@pytest.fixture(params=["vit", "resnet"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestContract(EncoderContract):
    @pytest.fixture
    def spec(self, models: dict[str, Path], name: str) -> EncoderSpec:
        return open_clip_spec(f"local-dir:{models[name]}")

    @pytest.fixture
    def other_weights(self, models: dict[str, Path], name: str) -> EncoderSpec:
        return open_clip_spec(f"local-dir:{models[f'other-{name}']}")


class TestCompactContract(EncoderContract):
    """The model that ships with the package."""

    @pytest.fixture
    def spec(self) -> EncoderSpec:
        return open_clip_spec("compact")

    @pytest.fixture
    def other_weights(self, tmp_path: Path) -> EncoderSpec:
        for file in architecture.COMPACT_DIR.glob("open_clip*"):
            shutil.copy(file, tmp_path)
        state = load_file(tmp_path / "open_clip_model.safetensors")
        state["logit_scale"] += 1
        save_file(state, tmp_path / "open_clip_model.safetensors")
        return open_clip_spec(f"local-dir:{tmp_path}")

    def test_equal_to_open_clip(self) -> None:
        images = pictures(9)
        ours = load_encoder(open_clip_spec("compact", batch_size=7)).encode_images(images)
        theirs = reference(f"local-dir:{architecture.COMPACT_DIR}", None, images)
        assert (ours * theirs).sum(axis=1).min() >= 0.999999


def reference(model: str, pretrained: str | None, images: list[Any]) -> np.ndarray:
    """open_clip's own vectors, one image at a time."""
    net, transform = open_clip.create_model_from_pretrained(model, pretrained)
    net.eval()
    with torch.no_grad():
        rows = [net.encode_image(transform(i)[None], normalize=True)[0] for i in images]
    return torch.stack(rows).double().numpy()


class TestEqualToOpenClip:
    """In a whole batch and a part of one; that their size does not matter is in the contract."""

    def test_local_dir(self, models: dict[str, Path], name: str) -> None:
        model = f"local-dir:{models[name]}"
        images = pictures(9)
        ours = load_encoder(open_clip_spec(model, batch_size=7)).encode_images(images)
        cosine = (ours * reference(model, None, images)).sum(axis=1)
        assert cosine.min() >= 0.999999

    @pytest.mark.usefixtures("tiny_architectures")
    def test_architecture_with_a_checkpoint(self, models: dict[str, Path], name: str) -> None:
        file = str(models[name] / "open_clip_model.safetensors")
        images = pictures(9)
        spec = open_clip_spec(f"tiny-{name}", pretrained=file, batch_size=7)
        ours = load_encoder(spec).encode_images(images)
        cosine = (ours * reference(f"tiny-{name}", file, images)).sum(axis=1)
        assert cosine.min() >= 0.999999

    def test_preprocessing_to_the_last_bit(self, models: dict[str, Path], name: str) -> None:
        model = f"local-dir:{models[name]}"
        _, transform = open_clip.create_model_from_pretrained(model)
        encoder = load_encoder(open_clip_spec(model))
        for image in pictures(20):
            values = encoder.pixel_values([encoder.preprocess(image)])[0]
            assert torch.equal(values, transform(image))

    def test_texts(self, models: dict[str, Path], name: str) -> None:
        model, texts = f"local-dir:{models[name]}", ["a cat", "two dogs in the snow"]
        net, _ = open_clip.create_model_from_pretrained(model)
        with torch.no_grad():
            theirs = net.eval().encode_text(open_clip.get_tokenizer(model)(texts), normalize=True)
        ours = load_encoder(open_clip_spec(model)).encode_texts(texts)
        assert (ours * theirs.numpy()).sum(axis=1).min() >= 0.999999

    def test_real_architecture_and_its_width(self, tmp_path: Path) -> None:
        """ViT-S-32-alt is a shipped architecture; its checkpoint is random and written here."""
        config = open_clip.get_model_config("ViT-S-32-alt")
        save_file(random_state(config, 0), tmp_path / "s.safetensors")
        file = str(tmp_path / "s.safetensors")
        images = pictures(3)
        encoder = load_encoder(open_clip_spec("ViT-S-32-alt", pretrained=file))
        cosine = (encoder.encode_images(images) * reference("ViT-S-32-alt", file, images)).sum(
            axis=1
        )
        assert cosine.min() >= 0.999999
        assert encoder.fingerprint.startswith("ViT-S-32-alt:")
        assert ImageSpace("i", model="ViT-S-32-alt", pretrained=file).length == encoder.width


def test_model_is_in_evaluation_mode(models: dict[str, Path], name: str) -> None:
    encoder: Any = load_encoder(open_clip_spec(f"local-dir:{models[name]}"))
    assert not any(module.training for module in encoder._model.modules())


@pytest.mark.usefixtures("tiny_architectures")
def test_fingerprint_does_not_depend_on_where_the_files_lie(
    models: dict[str, Path], tmp_path: Path
) -> None:
    copy = write_model(tmp_path / "elsewhere", VIT)
    first = fresh(open_clip_spec(f"local-dir:{models['vit']}")).fingerprint
    assert load_encoder(open_clip_spec(f"local-dir:{copy}")).fingerprint == first
    assert first.startswith("tiny-vit:")


def test_fingerprint_tells_preprocessing_apart(models: dict[str, Path], tmp_path: Path) -> None:
    copy = write_model(tmp_path / "copy", VIT)
    config = json.loads((copy / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["resize_mode"] = "squash"
    (copy / "open_clip_config.json").write_text(json.dumps(config))
    one, other = (
        load_encoder(open_clip_spec(f"local-dir:{folder}")).fingerprint
        for folder in (models["vit"], copy)
    )
    assert one != other


class TestErrors:
    def test_bare_name_lists_the_tags(self) -> None:
        with pytest.raises(MissingWeightsError, match=r"laion2b_s34b_b79k.*model='compact'"):
            load_encoder(open_clip_spec("ViT-B-32"))

    def test_unknown_architecture_names_close_ones(self) -> None:
        with pytest.raises(ModelNotFoundError, match=r"'VIT-B32'; close names: ViT-B-32"):
            load_encoder(open_clip_spec("VIT-B32", pretrained="openai"))

    def test_unknown_tag_lists_the_known_ones(self) -> None:
        with pytest.raises(ModelNotFoundError, match=r"neither a file.*nor a tag.*openai"):
            load_encoder(open_clip_spec("ViT-B-32", pretrained="laion9b"))

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFoundError, match="there is no such folder"):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path / 'nothing'}"))

    def test_no_config(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFoundError, match=r"open_clip_config.json is not there"):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path}"))

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model_cfg": {}}'])
    def test_unreadable_config(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "open_clip_config.json").write_text(text)
        with pytest.raises(ModelNotFoundError, match="does not describe the model"):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path}"))

    def test_config_without_weights(self, tmp_path: Path) -> None:
        write_model(tmp_path, VIT)
        (tmp_path / "open_clip_model.safetensors").unlink()
        with pytest.raises(
            ModelNotFoundError, match=r"no weights; put open_clip_model.safetensors"
        ):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path}"))

    def test_compact_model_that_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("monitor.encoders.architecture.COMPACT_DIR", tmp_path / "compact")
        monkeypatch.setattr("monitor.encoders.checkpoint.COMPACT_DIR", tmp_path / "compact")
        with pytest.raises(ModelNotFoundError, match="the model 'compact' needs the files"):
            load_encoder(open_clip_spec("compact", batch_size=11))

    def test_compact_model_that_is_there(
        self, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("monitor.encoders.architecture.COMPACT_DIR", models["vit"])
        monkeypatch.setattr("monitor.encoders.checkpoint.COMPACT_DIR", models["vit"])
        compact = load_encoder(open_clip_spec("compact", batch_size=13))
        same = fresh(open_clip_spec(f"local-dir:{models['vit']}"))
        assert compact.fingerprint == same.fingerprint
        np.testing.assert_array_equal(compact.encode_texts(["a cat"]), same.encode_texts(["a cat"]))
        assert ImageSpace("image_url", model="compact").length == VIT["embed_dim"]

    def test_weights_of_another_architecture(self, tmp_path: Path) -> None:
        write_model(tmp_path, VIT)
        save_file(random_state(RESNET, 0), tmp_path / "open_clip_model.safetensors")
        with pytest.raises(EncoderError, match="made for this architecture"):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path}"))

    def test_a_pickle_is_not_run(self, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
                return Path.touch, (tmp_path / "sprung",)

        with (tmp_path / "trap.bin").open("wb") as file:
            pickle.dump({"state_dict": Trap()}, file)
        with pytest.raises(EncoderError, match="cannot be loaded"):
            load_encoder(open_clip_spec("ViT-S-32", pretrained=str(tmp_path / "trap.bin")))
        assert not (tmp_path / "sprung").exists()

    def test_weights_that_are_nan(self, tmp_path: Path) -> None:
        state = load_file(write_model(tmp_path, VIT) / "open_clip_model.safetensors")
        state["visual.proj"].fill_(float("nan"))
        save_file(state, tmp_path / "open_clip_model.safetensors")
        with pytest.raises(EncoderError, match="without a direction for input 0"):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path}")).encode_images(pictures(2))

    def test_weights_that_are_zero(self, tmp_path: Path) -> None:
        state = load_file(write_model(tmp_path, VIT) / "open_clip_model.safetensors")
        state["visual.proj"].zero_()
        save_file(state, tmp_path / "open_clip_model.safetensors")
        with pytest.raises(EncoderError, match=r"norm 0"):
            load_encoder(open_clip_spec(f"local-dir:{tmp_path}")).encode_images(pictures(2))

    def test_a_batch_beyond_the_devices_memory_is_encoded_in_parts(
        self,
        models: dict[str, Path],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        encoder: Any = fresh(open_clip_spec(f"local-dir:{models['vit']}"))
        expected, encode, most = encoder.encode_images(pictures(7)), encoder._model.encode_image, 2

        def encode_few(batch: torch.Tensor) -> torch.Tensor:
            if len(batch) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return encode(batch)

        monkeypatch.setattr(encoder._model, "encode_image", encode_few)
        tensors = [encoder.preprocess(image) for image in pictures(7)]
        np.testing.assert_allclose(encoder.encode_batch(tensors), expected, atol=1e-6)
        assert "no room on cpu for 7 images at once" in caplog.text
        most = 0
        with pytest.raises(EncoderError, match=r"batch of 1 on cpu.*Tried to allocate"):
            encoder.encode_batch(tensors)

    def test_a_model_on_a_gpu_is_refused_in_a_fork(
        self, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encoder: Any = fresh(open_clip_spec(f"local-dir:{models['vit']}"))
        monkeypatch.setattr(encoder, "_staging", Staging(torch.device("cuda")))
        monkeypatch.setattr("os.getpid", lambda: -1)
        for encode in (
            lambda: encoder.encode_images(pictures(1)),
            lambda: encoder.encode_texts(["a"]),
        ):
            with pytest.raises(EncoderError, match=r"forked from.*start processes by 'spawn'"):
                encode()

    @pytest.mark.parametrize("device", ["cuda:99", "no-such-device", "meta"])
    def test_no_such_device(self, models: dict[str, Path], device: str) -> None:
        spec = open_clip_spec(f"local-dir:{models['vit']}").model_copy(update={"device": device})
        with pytest.raises(EncoderError, match=r"allowed here: auto.*cpu"):
            load_encoder(spec)


def test_open_clip_writes_nothing_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        load_encoder(open_clip_spec(f"local-dir:{write_model(tmp_path, VIT)}")).encode_texts(["a"])
    assert not [record for record in caplog.records if "open_clip" in record.pathname]
