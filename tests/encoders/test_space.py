"""`ImageSpace`, its spec and its handlers, against what the reference accepts and refuses."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - specs travel to workers
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monitor.encoders import (
    EmbeddingEngineConfig,
    Encoder,
    EncoderSpec,
    ImageSpace,
    ModelHandler,
    load_encoder,
    register_handler,
    registry,
)
from monitor.errors import EncoderError, InvalidSpaceParamError, ModelNotFoundError
from monitor.schema import Blob, IdField, Schema, String


class Photo(Schema):
    id: IdField
    image: Blob = Blob(column="image_url")
    description: String
    back: Blob


class Painting(Schema):
    image: Blob
    title: String


photo, painting = Photo(), Painting()
DESCRIBED = photo.image + photo.description

SPACES = [
    ImageSpace(photo.image),
    ImageSpace("image_url"),
    ImageSpace(DESCRIBED, model="compact"),
    ImageSpace([photo.image, painting.image + painting.title]),
    ImageSpace([None, painting.image]),
    ImageSpace(
        "image_url",
        model="ViT-L-14",
        pretrained="openai",
        model_cache_dir="/models",
        embedding_engine_config=EmbeddingEngineConfig(precision="float16", batch_size=8),
    ),
]


class TestDefaults:
    def test_are_those_of_the_reference(self) -> None:
        space = ImageSpace(photo.image)
        assert space.model == "clip-ViT-B-32"
        assert space.model_handler == ModelHandler.SENTENCE_TRANSFORMERS
        assert space.model_cache_dir is None
        assert space.embedding_engine_config == EmbeddingEngineConfig()
        assert EmbeddingEngineConfig().model_dump() == {
            "precision": "float32",
            "device": "auto",
            "batch_size": 32,
            "preprocessing": "exact",
        }

    @pytest.mark.parametrize(
        ("options", "handler"),
        [
            ({}, "sentence_transformers"),
            ({"model": "clip-ViT-L-14"}, "sentence_transformers"),
            ({"model": "compact"}, "open_clip"),
            ({"model": "hf-hub:org/name"}, "open_clip"),
            ({"model": "local-dir:/models/mine"}, "open_clip"),
            ({"model": "ViT-B-32", "pretrained": "openai"}, "open_clip"),
            ({"model": "ViT-B-32", "model_handler": "open_clip"}, "open_clip"),
            ({"model": "RN50", "model_handler": ModelHandler.OPEN_CLIP}, "open_clip"),
        ],
    )
    def test_handler_follows_from_the_model(self, options: dict[str, Any], handler: str) -> None:
        assert ImageSpace("image_url", **options).model_handler == handler


class TestImage:
    def test_a_column_name(self) -> None:
        (image,) = ImageSpace("image_url").image
        assert image == Blob(column="image_url", name="image_url")

    def test_described(self) -> None:
        assert ImageSpace(photo.description + photo.image).image == (DESCRIBED,)

    def test_image_for_a_column(self) -> None:
        space = ImageSpace([DESCRIBED, painting.image])
        assert space.image_for("image_url") == DESCRIBED
        assert space.image_for("image") == painting.image
        assert space.image_for("description") is None

    @pytest.mark.parametrize(
        ("image", "message"),
        [
            (None, "at least one image column"),
            ([], "at least one image column"),
            ([None, None], "at least one image column"),
            ([photo.image, photo.back], "'Photo' comes twice"),
            ([photo.image, DESCRIBED], "'Photo' comes twice"),
            (["a", "b"], r"'\(none\)' comes twice"),
            (photo.description, "a String is not a Blob"),
            (photo.id, "a IdField is not a Blob"),
            (3, "a int is not a Blob"),
            ("", "must have a name"),
            ("  ", "is no image column"),
            (Blob(), "must have a name"),
            (b"image_url", "a bytes is not a Blob"),
            ({"colum": "a"}, "is no image column"),
            ({"blob": "a"}, "is no image column"),
            ({"blob": "a", "description": "b", "more": 1}, "is no image column"),
        ],
    )
    def test_mistakes(self, image: Any, message: str) -> None:
        with pytest.raises(InvalidSpaceParamError, match=message):
            ImageSpace(image)

    def test_two_schemas_in_one_description(self) -> None:
        with pytest.raises(InvalidSpaceParamError, match="same schema"):
            ImageSpace({"blob": {"column": "a", "schema": "A"}, "description": "b"})


class TestParameters:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"model": ""}, "model='': must not be empty"),
            ({"model": " "}, "must not be empty"),
            ({"model": None}, "model=None: has no value"),
            ({"pretrained": "", "model": "ViT-B-32"}, "pretrained='': must not be empty"),
            ({"model": "compact", "pretrained": "openai"}, "brings its own weights"),
            ({"model": "hf-hub:a/b", "pretrained": "openai"}, "brings its own weights"),
            (
                {"model_handler": "sentence_transformers", "pretrained": "openai"},
                "brings its own weights",
            ),
            ({"model_handler": "opn_clip"}, "'opn_clip' is not configured; known here: open_clip"),
            (
                {"embedding_engine_config": {"precision": "float8"}},
                "precision='float8': must be 'float32', 'float16'",
            ),
            ({"embedding_engine_config": {"batchsize": 8}}, "batchsize"),
            ({"embedding_engine_config": {"batch_size": 0}}, "batch_size=0: must be greater"),
            (
                {"embedding_engine_config": {"batch_size": True}},
                "batch_size=True: must be a whole number",
            ),
        ],
    )
    def test_mistakes(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidSpaceParamError, match=message):
            ImageSpace("image_url", **options)

    def test_only_the_image_is_positional(self) -> None:
        with pytest.raises(TypeError):
            ImageSpace("image_url", "ViT-B-32")  # type: ignore[misc]

    def test_unknown_keyword(self) -> None:
        with pytest.raises(TypeError):
            ImageSpace("image_url", modle="ViT-B-32")  # type: ignore[call-arg]


@pytest.mark.parametrize("space", SPACES, ids=range(len(SPACES)))
class TestIsAValue:
    def test_through_plain_values(self, space: ImageSpace) -> None:
        values = space.to_dict()
        assert ImageSpace.from_dict(values) == space
        assert ImageSpace.from_dict(json.loads(json.dumps(values))) == space
        assert ImageSpace.from_dict(yaml.safe_load(yaml.safe_dump(values))) == space

    def test_pickle_hash_equality(self, space: ImageSpace) -> None:
        copy = pickle.loads(pickle.dumps(space))
        assert copy == space
        assert hash(copy) == hash(space)
        assert [other for other in SPACES if other == space] == [space]

    def test_spec(self, space: ImageSpace) -> None:
        spec = space.spec
        assert pickle.loads(pickle.dumps(spec)) == spec
        assert EncoderSpec.model_validate(json.loads(spec.model_dump_json())) == spec
        assert hash(spec) == hash(space.spec)
        assert (spec.model, spec.pretrained) == (space.model, space.pretrained)
        assert spec.batch_size == space.embedding_engine_config.batch_size

    def test_does_not_change(self, space: ImageSpace) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            space.model = "other"

    def test_transformation(self, space: ImageSpace) -> None:
        config = space.transformation_config
        assert config.encoder == space.spec
        assert (config.normalization, config.aggregation) == ("l2", "sum_of_unit_vectors")
        assert config.missing == "null"
        assert space.model in space.annotation


def test_yaml_by_hand() -> None:
    text = """
    image: {blob: image_url, description: caption}
    model: ViT-B-32
    pretrained: laion2b_s34b_b79k
    embedding_engine_config: {batch_size: 8}
    """
    space = ImageSpace.from_dict(yaml.safe_load(text))
    assert space.model_handler == ModelHandler.OPEN_CLIP
    assert "image_url described by caption" in space.annotation


@pytest.mark.parametrize("values", [{"model": "compact"}, {"image": "a", "modle": "compact"}, {}])
def test_from_dict_names_the_fields(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpaceParamError, match="allowed: image, model, model_handler"):
        ImageSpace.from_dict(values)


def test_json_schema_can_be_written() -> None:
    schema = json.dumps(ImageSpace.model_json_schema())
    assert "batch_size" in schema


class TestLength:
    @pytest.mark.parametrize(
        ("model", "length"), [("ViT-B-32", 512), ("RN50", 1024), ("ViT-L/14", 768)]
    )
    def test_of_an_architecture(self, model: str, length: int) -> None:
        assert ImageSpace("i", model=model, pretrained="openai").length == length

    def test_agrees_with_open_clip_for_every_architecture(self) -> None:
        from monitor.encoders.imports import open_clip

        for model in open_clip.list_models():
            config = open_clip.get_model_config(model)
            assert ImageSpace("i", model=model, pretrained="t").length == config["embed_dim"]

    def test_unknown_architecture(self) -> None:
        with pytest.raises(ModelNotFoundError, match="close names: ViT-B-32"):
            _ = ImageSpace("i", model="vit-b-32", pretrained="openai").length

    def test_needs_no_torch(self) -> None:
        code = (
            "import sys; from monitor.encoders import ImageSpace; "
            "ImageSpace('i', model='ViT-B-32', pretrained='openai').length; "
            "print({'torch', 'open_clip', 'pandas', 'huggingface_hub'} & set(sys.modules))"
        )
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert out.stdout.strip() == "set()"


class TestHandlers:
    @pytest.fixture(autouse=True)
    def _forget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry.handlers, "_registered", {})
        monkeypatch.setattr(registry, "_loaded", {})

    def test_modal_without_its_config(self) -> None:
        with pytest.raises(InvalidSpaceParamError, match=r"'modal' is not configured.*register_ha"):
            ImageSpace("image_url", model_handler=ModelHandler.MODAL)

    def test_a_remote_handler_is_plugged_in(self) -> None:
        class Remote:
            width = 7
            fingerprint = "remote:0123456789abcdef"

            def __init__(self, spec: EncoderSpec) -> None:
                self.spec = spec

            preprocess = encode_batch = encode_images = encode_texts = load_encoder

        register_handler("modal", Remote)  # type: ignore[arg-type]
        space = ImageSpace("image_url", model_handler=ModelHandler.MODAL, model="any")
        assert space.length == 7
        encoder = load_encoder(space.spec)
        assert isinstance(encoder, Encoder)
        assert load_encoder(space.spec) is encoder

    @pytest.mark.parametrize("name", ["", " ", "open_clip", ModelHandler.SENTENCE_TRANSFORMERS])
    def test_names_that_cannot_be_registered(self, name: str) -> None:
        with pytest.raises(InvalidSpaceParamError, match="cannot be registered"):
            register_handler(name, load_encoder)

    def test_a_spec_of_an_unknown_handler(self) -> None:
        with pytest.raises(InvalidSpaceParamError, match="'mine' is not configured"):
            load_encoder(EncoderSpec(handler="mine", model="any"))

    def test_a_loader_that_gives_no_encoder(self) -> None:
        register_handler("mine", lambda spec: None)  # type: ignore[arg-type,return-value]
        with pytest.raises(EncoderError, match=r"'mine' gave a NoneType.*fingerprint"):
            load_encoder(EncoderSpec(handler="mine", model="any"))

    def test_a_failed_load_is_tried_again(self) -> None:
        calls = []

        def fail(spec: EncoderSpec) -> Encoder:
            calls.append(spec)
            raise ModelNotFoundError("not yet")

        register_handler("mine", fail)
        for _ in range(2):
            with pytest.raises(ModelNotFoundError):
                load_encoder(EncoderSpec(handler="mine", model="any"))
        assert len(calls) == 2


def test_paths_are_accepted() -> None:
    space = ImageSpace(
        "i", model="ViT-B-32", pretrained=Path("/w/file.safetensors"), model_cache_dir=Path("/c")
    )
    assert (space.pretrained, space.model_cache_dir) == ("/w/file.safetensors", "/c")


def test_public_names_are_lazy_and_complete() -> None:
    import monitor.encoders as encoders

    for name in encoders.__all__:
        assert getattr(encoders, name).__name__ == name
    assert set(encoders.__all__) == set(dir(encoders))
    with pytest.raises(AttributeError, match="attribute Nothing"):
        _ = encoders.Nothing
