"""The family of features: every rule of the reference, and where ours goes past it."""

from __future__ import annotations

import json
import math
import pickle  # noqa: TID251 - features travel to workers
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.encoders import EmbeddingEngineConfig, ImageSpace
from monitor.errors import InvalidFeatureError, MissingColumnError, MissingFeatureTypeError
from monitor.features import (
    CustomFeature,
    CustomFeatureType,
    Enrichment,
    ImageEmbedding,
    Multivariate,
    TextEmbedding,
    VectorFeature,
    check_features,
)
from monitor.schema import Blob, Schema, String

IMAGE = {"name": "image_feature", "source_column": "image_url", "column": "image_embedding"}
CENTROIDS = [[0.1, -1e-7], [1 / 3, 2.5e30], [0, 1]]


class Photo(Schema):
    image: Blob = Blob(column="image_url")
    caption: String


def image(**fields: Any) -> ImageEmbedding:
    return ImageEmbedding(**{**IMAGE, **fields})


FEATURES: list[CustomFeature] = [
    image(),
    image(n_clusters=None, random_state=7),
    image(centroids=CENTROIDS),
    image(model="compact"),
    image(model="RN50", pretrained="openai"),
    image(space=ImageSpace("image_url", model="compact")),
    image(
        space=ImageSpace(
            Photo().image + Photo().caption,
            embedding_engine_config=EmbeddingEngineConfig(batch_size=8, device="cpu"),
        ),
        centroids=np.eye(4, dtype=np.float32),
    ),
    VectorFeature(name="vector", column="embedding", n_clusters=9),
    TextEmbedding(name="text", source_column="review", column="vector", n_tags=3),
    Multivariate(name="size", columns=["width", "height"], monitor_components=True),
    Enrichment(name="e", enrichment="tox", columns=["t"], config={"a": [1, {"b": None}], "c": 0.5}),
]
every_feature = pytest.mark.parametrize("feature", FEATURES, ids=range(len(FEATURES)))


class TestFamily:
    def test_types(self) -> None:
        assert [kind.value for kind in CustomFeatureType] == [
            "FROM_COLUMNS",
            "FROM_VECTOR",
            "FROM_TEXT_EMBEDDING",
            "FROM_IMAGE_EMBEDDING",
            "ENRICHMENT",
        ]

    def test_tree(self) -> None:
        assert issubclass(ImageEmbedding, VectorFeature)
        assert issubclass(TextEmbedding, VectorFeature)
        for kind in (VectorFeature, Multivariate, Enrichment):
            assert issubclass(kind, CustomFeature)

    def test_documented_call(self) -> None:
        feature = ImageEmbedding(
            name="image_feature", source_column="image_url", column="image_embedding"
        )
        assert feature.type is CustomFeatureType.FROM_IMAGE_EMBEDDING
        assert feature.n_clusters == 5
        assert feature.centroids is None
        assert feature.random_state == 0
        assert (feature.model, feature.pretrained) == ("ViT-B-32", "laion2b_s34b_b79k")
        assert feature.space is None

    def test_the_root_is_no_feature(self) -> None:
        with pytest.raises(InvalidFeatureError, match="use one of: Enrichment, ImageEmbedding"):
            CustomFeature(name="a", type=CustomFeatureType.FROM_VECTOR)

    @pytest.mark.parametrize("kind", [ImageEmbedding, VectorFeature, Multivariate, Enrichment])
    def test_keyword_only(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="positional"):
            kind("image_feature")


@every_feature
class TestIsAValue:
    def test_dictionary(self, feature: CustomFeature) -> None:
        values = feature.to_dict()
        assert CustomFeature.from_dict(values) == feature
        assert type(feature).from_dict(values) == feature
        assert values["type"] == feature.type.value

    def test_json(self, feature: CustomFeature) -> None:
        assert CustomFeature.from_dict(json.loads(json.dumps(feature.to_dict()))) == feature
        assert type(feature).model_validate_json(feature.model_dump_json()) == feature

    def test_yaml(self, feature: CustomFeature) -> None:
        text = yaml.safe_dump(feature.to_dict())
        assert CustomFeature.from_dict(yaml.safe_load(text)) == feature

    def test_model_dump(self, feature: CustomFeature) -> None:
        assert type(feature)(**feature.model_dump()) == feature
        assert type(feature).model_validate(feature.model_dump()) == feature

    def test_pickle_and_hash(self, feature: CustomFeature) -> None:
        copy = pickle.loads(pickle.dumps(feature))
        assert copy == feature
        assert hash(copy) == hash(feature)
        assert len({feature, copy}) == 1

    def test_equality(self, feature: CustomFeature) -> None:
        assert [other for other in FEATURES if other == feature] == [feature]
        assert feature != feature.model_copy(update={"name": "another"})
        assert feature.model_copy() == feature

    def test_does_not_change(self, feature: CustomFeature) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            feature.name = "another"

    def test_json_schema(self, feature: CustomFeature) -> None:
        assert "name" in json.dumps(type(feature).model_json_schema())


class TestDictionary:
    @pytest.mark.parametrize("kind", [CustomFeature, ImageEmbedding])
    def test_no_type(self, kind: type[CustomFeature]) -> None:
        with pytest.raises(MissingFeatureTypeError, match=r"needs 'type'.*FROM_IMAGE_EMBEDDING"):
            kind.from_dict(IMAGE)
        with pytest.raises(KeyError):
            kind.from_dict(IMAGE)

    @pytest.mark.parametrize("name", ["FOO", "from_vector", "", None, 3, ["FROM_VECTOR"]])
    def test_unknown_type(self, name: Any) -> None:
        with pytest.raises(ValueError, match="is not a valid CustomFeatureType; allowed: FROM_C"):
            CustomFeature.from_dict({**IMAGE, "type": name})

    def test_unknown_type_says_it_as_the_reference_does(self) -> None:
        with pytest.raises(InvalidFeatureError, match="'FOO' is not a valid CustomFeatureType"):
            CustomFeature.from_dict({**IMAGE, "type": "FOO"})

    @pytest.mark.parametrize("field", ["name", "column", "source_column"])
    def test_missing_field(self, field: str) -> None:
        values = {key: value for key, value in IMAGE.items() if key != field}
        with pytest.raises(ValueError, match=f"ImageEmbedding: {field} is missing"):
            CustomFeature.from_dict({**values, "type": "FROM_IMAGE_EMBEDDING"})

    def test_type_of_another_class(self) -> None:
        with pytest.raises(InvalidFeatureError, match="is a VectorFeature, not a ImageEmbedding"):
            ImageEmbedding.from_dict({"type": "FROM_VECTOR", "name": "a", "column": "b"})

    @pytest.mark.parametrize("values", [None, [], "FROM_VECTOR"])
    def test_no_mapping(self, values: Any) -> None:
        with pytest.raises(InvalidFeatureError, match="is a mapping"):
            CustomFeature.from_dict(values)

    def test_keys_that_are_no_texts(self) -> None:
        with pytest.raises(InvalidFeatureError, match=r"has texts for keys, not \[1\]"):
            CustomFeature.from_dict({"type": "FROM_VECTOR", "name": "a", "column": "b", 1: 2})

    def test_type_as_a_member(self) -> None:
        values = {**IMAGE, "type": CustomFeatureType.FROM_IMAGE_EMBEDDING}
        assert CustomFeature.from_dict(values) == image()

    def test_the_five_keys_of_the_reference(self) -> None:
        values = image().to_dict()
        assert IMAGE.items() <= values.items()
        assert (values["type"], values["n_clusters"]) == ("FROM_IMAGE_EMBEDDING", 5)
        assert (
            CustomFeature.from_dict({**IMAGE, "type": "FROM_IMAGE_EMBEDDING", "n_clusters": 5})
            == image()
        )


class TestClusterCount:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (2, 2),
            ("7", 7),
            (2.0, 2),
            ("7.0", 7),
            (np.int64(9), 9),
            (np.float32(3), 3),
            (None, None),
            (101, 101),
            (100_000, 100_000),
        ],
    )
    def test_accepted(self, given: Any, kept: int | None) -> None:
        assert image(n_clusters=given).n_clusters == kept

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (2.5, r"n_clusters=2\.5: must be a whole number"),
            ("2.5", r"n_clusters='2\.5': must be a whole number"),
            ("seven", "must be a whole number"),
            ("", "must be a whole number"),
            (math.nan, "must be a whole number"),
            (math.inf, "must be a whole number"),
            ([5], "must be a whole number"),
            (True, "n_clusters=True: must be a whole number, not true or false"),
            (np.True_, "not true or false"),
            (-1, "n_clusters=-1: must be at least 2"),
            (0, "n_clusters=0: must be at least 2, since one cluster.*None chooses"),
            (1, "n_clusters=1: must be at least 2"),
            (100_001, "must be at most 100,000"),
            (
                1_000_000,
                "n_clusters=1000000: must be at most 100,000: with more clusters than rows",
            ),
        ],
    )
    def test_refused(self, given: Any, message: str) -> None:
        with pytest.raises(InvalidFeatureError, match=message):
            image(n_clusters=given)

    @pytest.mark.parametrize("seed", [True, -1, 2**32, 0.5, None])
    def test_seed(self, seed: Any) -> None:
        with pytest.raises(InvalidFeatureError, match="random_state="):
            image(random_state=seed)


class TestCentroids:
    def test_as_given(self) -> None:
        feature = image(centroids=CENTROIDS)
        assert feature.centroids == tuple(tuple(float(x) for x in row) for row in CENTROIDS)

    def test_array(self) -> None:
        array = image(centroids=CENTROIDS).centroid_array
        assert array is not None
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, np.asarray(CENTROIDS, np.float32))
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
        assert image().centroid_array is None

    @pytest.mark.parametrize(
        "given",
        [
            np.arange(6, dtype=np.float32).reshape(3, 2),
            np.arange(6).reshape(3, 2),
            [[0, 1], [2, 3], [4, 5]],
            ((0, 1), (2, 3), (4, 5)),
            [np.array([0, 1]), [2, 3], (4, 5)],
        ],
        ids=["float32", "int", "lists", "tuples", "mixed"],
    )
    def test_any_matrix(self, given: Any) -> None:
        feature = image(centroids=given)
        assert feature.centroids == ((0, 1), (2, 3), (4, 5))
        assert feature.n_clusters == 3

    @pytest.mark.parametrize("fields", [{}, {"n_clusters": None}, {"n_clusters": 3}])
    def test_their_number_is_the_number_of_clusters(self, fields: dict[str, Any]) -> None:
        assert image(centroids=CENTROIDS, **fields).n_clusters == 3

    @given(
        st.integers(1, 4).flatmap(
            lambda width: st.lists(
                st.lists(
                    st.floats(width=32, allow_nan=False, allow_infinity=False),
                    min_size=width,
                    max_size=width,
                ),
                min_size=2,
                max_size=5,
            )
        )
    )
    def test_float32_survives_every_way(self, rows: list[list[float]]) -> None:
        feature = image(centroids=np.array(rows, dtype=np.float32))
        for text in (
            json.loads(json.dumps(feature.to_dict())),
            yaml.safe_load(yaml.safe_dump(feature.to_dict())),
        ):
            back = ImageEmbedding.from_dict(text)
            assert back.centroid_array is not None
            np.testing.assert_array_equal(back.centroid_array, np.array(rows, dtype=np.float32))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ([], "must not be empty"),
            ([[], []], "must not be empty"),
            ([[1, 2], [3]], "is ragged: rows have 1 and 2 numbers"),
            ([["1", "2"], ["3", "4"]], "must be numbers, but row 0 holds '1'"),
            ([[1, 2], [3, None]], "must be numbers, but row 1 holds None"),
            ([[True, False], [False, True]], "must be numbers, but row 0 holds True"),
            ([[1, math.nan], [0, 1]], "must be finite float32 numbers, but row 0 holds nan"),
            ([[1, 0], [math.inf, 1]], "must be finite float32 numbers, but row 1 holds inf"),
            ([[1, 0], [1e300, 1]], "must be finite float32 numbers"),
            ([[1, 0], [10**400, 1]], "must be finite float32 numbers"),
            ([1, 2, 3], "must hold rows of numbers, but row 0 is 1"),
            (["12", "34"], "must hold rows of numbers, but row 0 is '12'"),
            ("1,2;3,4", "must be a list of rows"),
            (5, "must be a list of rows"),
            ({"a": [1]}, "must be a list of rows"),
            (np.ones(3), "must hold rows of numbers"),
            (np.ones((2, 2, 2)), "must be numbers, but row 0 holds"),
            (np.array([["a", "b"], ["c", "d"]]), "must be numbers"),
            (np.ones((2, 2), complex), "must be numbers"),
            ([[1, 2]], "n_clusters is 2 but there are 1 centroids"),
        ],
    )
    def test_refused(self, given: Any, message: str) -> None:
        with pytest.raises(InvalidFeatureError, match=message):
            image(centroids=given)

    def test_number_differs_from_n_clusters(self) -> None:
        with pytest.raises(InvalidFeatureError, match="n_clusters is 5 but there are 3 centroids"):
            image(n_clusters=5, centroids=CENTROIDS)

    def test_long_values_are_cut_in_messages(self) -> None:
        with pytest.raises(InvalidFeatureError) as caught:
            image(centroids=[[0.5] * 512] * 9 + [[0.5] * 511 + ["x" * 9999]])
        assert len(str(caught.value)) < 400

    def test_a_copy_is_checked(self) -> None:
        with pytest.raises(InvalidFeatureError, match="n_clusters=0"):
            image().model_copy(update={"n_clusters": 0})
        fitted = image().model_copy(update={"n_clusters": 3, "centroids": CENTROIDS})
        assert fitted == image(centroids=CENTROIDS)


class TestNames:
    @pytest.mark.parametrize("field", ["name", "column", "source_column", "model", "pretrained"])
    @pytest.mark.parametrize("value", ["", "  ", "\t\n"])
    def test_blank(self, field: str, value: str) -> None:
        with pytest.raises(InvalidFeatureError, match=f"{field}=.*must not be empty or blank"):
            image(**{field: value})

    @pytest.mark.parametrize("value", [None, 3, ["a"], b"a"])
    def test_not_text(self, value: Any) -> None:
        with pytest.raises(InvalidFeatureError, match="name="):
            image(name=value)

    @pytest.mark.parametrize("kind", [ImageEmbedding, TextEmbedding])
    def test_one_column_for_both(self, kind: Any) -> None:
        with pytest.raises(InvalidFeatureError, match="column and source_column are both 'a'"):
            kind(name="n", column="a", source_column="a")

    @pytest.mark.parametrize(
        ("typed", "meant"), [("n_cluster", "n_clusters"), ("source_colum", "source_column")]
    )
    def test_unknown_keyword_names_the_close_one(self, typed: str, meant: str) -> None:
        with pytest.raises(
            InvalidFeatureError, match=f"{typed}='x': there is no such key; did you mean '{meant}'"
        ):
            image(**{typed: "x"})

    def test_unknown_keyword_lists_the_allowed(self) -> None:
        with pytest.raises(
            InvalidFeatureError, match="zzz=1: there is no such key; allowed: name, type"
        ):
            image(zzz=1)

    @pytest.mark.parametrize(
        ("kind", "fixed"),
        [
            (ImageEmbedding, "FROM_IMAGE_EMBEDDING"),
            (TextEmbedding, "FROM_TEXT_EMBEDDING"),
            (VectorFeature, "FROM_VECTOR"),
        ],
    )
    def test_type_is_fixed(self, kind: Any, fixed: str) -> None:
        fields = {**IMAGE, "type": "ENRICHMENT"}
        if kind is VectorFeature:
            fields = {"name": "a", "column": "b", "type": "FROM_TEXT_EMBEDDING"}
        with pytest.raises(InvalidFeatureError, match=f"type='[A-Z_]+': .*{fixed}"):
            kind(**fields)

    def test_every_mistake_is_told(self) -> None:
        with pytest.raises(InvalidFeatureError, match=r"n_clusters=0.*; random_state=-1"):
            image(n_clusters=0, random_state=-1)


class TestModel:
    @pytest.mark.parametrize(
        ("fields", "model", "pretrained"),
        [
            ({}, "ViT-B-32", "laion2b_s34b_b79k"),
            ({"model": "ViT-B-32"}, "ViT-B-32", "laion2b_s34b_b79k"),
            ({"pretrained": "openai"}, "ViT-B-32", "openai"),
            ({"pretrained": "/w/file.safetensors"}, "ViT-B-32", "/w/file.safetensors"),
            ({"model": "ViT-L-14", "pretrained": "openai"}, "ViT-L-14", "openai"),
            ({"model": "compact"}, "compact", None),
            ({"model": "compact", "pretrained": None}, "compact", None),
            ({"model": "hf-hub:org/name"}, "hf-hub:org/name", None),
            ({"model": "local-dir:/models/mine"}, "local-dir:/models/mine", None),
        ],
    )
    def test_weights(self, fields: dict[str, Any], model: str, pretrained: str | None) -> None:
        feature = image(**fields)
        assert (feature.model, feature.pretrained) == (model, pretrained)
        spec = feature.encoder_spec
        assert (spec.handler, spec.model, spec.pretrained) == ("open_clip", model, pretrained)
        assert feature.image_space.image_for("image_url") is not None
        assert feature.description_column is None

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"model": "ViT-L-14"}, r"pretrained is missing for model='ViT-L-14'.*list_pretrained"),
            ({"model": "clip-ViT-B-32"}, r"ImageSpace\(source_column, model='clip-ViT-B-32'\)"),
            ({"pretrained": None}, "pretrained is missing for model='ViT-B-32'"),
            ({"model": "compact", "pretrained": "openai"}, "brings its own weights"),
            ({"model": "hf-hub:a/b", "pretrained": "openai"}, "brings its own weights"),
        ],
    )
    def test_mistakes(self, fields: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidFeatureError, match=message):
            image(**fields)


class TestSpace:
    def test_is_used_as_it_is(self) -> None:
        space = ImageSpace("image_url", model="compact")
        feature = image(space=space)
        assert feature.image_space is space
        assert feature.encoder_spec == space.spec
        assert (feature.model, feature.pretrained) == ("compact", None)

    def test_from_yaml(self) -> None:
        text = """
        type: FROM_IMAGE_EMBEDDING
        name: image_feature
        source_column: image_url
        column: image_embedding
        space:
          image: {blob: image_url, description: caption}
          model: ViT-B-32
          pretrained: openai
          embedding_engine_config: {precision: float16}
        """
        feature = CustomFeature.from_dict(yaml.safe_load(text))
        assert isinstance(feature, ImageEmbedding)
        assert feature.description_column == "caption"
        assert feature.encoder_spec.precision == "float16"

    def test_describes(self) -> None:
        photo = Photo()
        assert image(space=ImageSpace(photo.image + photo.caption)).description_column == "caption"
        assert image(space=ImageSpace(photo.image)).description_column is None

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (
                {"space": ImageSpace("other")},
                "space reads 'other' but source_column is 'image_url'",
            ),
            ({"space": ImageSpace("image_url"), "model": "compact"}, "model given beside space"),
            (
                {"space": ImageSpace("image_url"), "pretrained": None},
                "pretrained given beside space",
            ),
            ({"space": {"image": "image_url", "modle": "x"}}, r"unknown fields \['modle'\]"),
            ({"space": {"image": "image_url", "model": ""}}, "model='': must not be empty"),
            ({"space": "image_url"}, "space='image_url'"),
            (
                {
                    "space": {"image": {"blob": "image_url", "description": "vectors"}},
                    "column": "vectors",
                },
                "column and the space's description are both 'vectors'",
            ),
        ],
    )
    def test_mistakes(self, fields: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidFeatureError, match=message):
            image(**fields)


class TestOthers:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"columns": ["a"]}, "at least 2 columns"),
            ({"columns": []}, "at least 2 columns"),
            ({"columns": ["a", "b", "a"]}, "names 'a' twice"),
            ({"columns": ["a", " "]}, r"columns\[1\]=' '"),
            ({"columns": "ab"}, "columns='ab'"),
            ({"columns": ["a", "b"], "monitor_components": "maybe"}, "monitor_components="),
            ({"columns": ["a", "b"], "n_clusters": 0}, "n_clusters=0"),
            ({"columns": ["a", "b"], "centroids": [[1], [2]]}, "1 numbers each but there are 2"),
        ],
    )
    def test_multivariate(self, fields: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidFeatureError, match=message):
            Multivariate(name="m", **fields)

    @pytest.mark.parametrize("n_tags", [0, -1, 2.5, True, None])
    def test_tags(self, n_tags: Any) -> None:
        with pytest.raises(InvalidFeatureError, match="n_tags="):
            TextEmbedding(name="t", column="a", source_column="b", n_tags=n_tags)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"columns": []}, "at least one column"),
            ({"columns": ["a", "a"]}, "names 'a' twice"),
            ({"columns": ["a"], "enrichment": ""}, "enrichment=''"),
            ({"columns": ["a"], "config": [1]}, "must be a mapping"),
            ({"columns": ["a"], "config": {1: 2}}, "must have texts for keys, not 1"),
            ({"columns": ["a"], "config": {"a": object()}}, "plain JSON values"),
            ({"columns": ["a"], "config": {"a": math.nan}}, "plain JSON values, not nan"),
        ],
    )
    def test_enrichment(self, fields: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidFeatureError, match=message):
            Enrichment(**{"name": "e", "enrichment": "tox", **fields})

    def test_config_is_a_copy_that_does_not_change(self) -> None:
        config: dict[str, Any] = {"a": {"b": [1]}}
        feature = Enrichment(name="e", enrichment="tox", columns=["t"], config=config)
        config["a"]["b"].append(2)
        assert feature.config == {"a": {"b": (1,)}}
        for change in (
            lambda: feature.config.update(a=1),
            lambda: feature.config["a"].pop("b"),
            lambda: feature.config.__setitem__("a", 1),
        ):
            with pytest.raises(TypeError, match="does not change"):
                change()


class TestCheck:
    def test_passes(self) -> None:
        check_features(FEATURES[:1] + FEATURES[7:8])
        check_features([image()], ["image_url"])
        check_features([image()], ["image_embedding"])
        check_features([])

    def test_same_name_twice(self) -> None:
        other = VectorFeature(name="image_feature", column="b")
        with pytest.raises(InvalidFeatureError, match="two features are named 'image_feature'"):
            check_features([image(), other])

    def test_two_makers_of_one_column(self) -> None:
        other = image(name="other", model="compact")
        with pytest.raises(InvalidFeatureError, match="'image_feature' and 'other' keep different"):
            check_features([image(), other])

    def test_two_readings_of_one_column(self) -> None:
        check_features([image(), image(name="finer", n_clusters=50)])

    @pytest.mark.parametrize(
        ("feature", "columns", "message"),
        [
            (image(), ["image_ur", "label"], "needs the column 'image_url'.*mean 'image_ur'"),
            (image(), ["x"], "not have; the data has \\['x'\\]"),
            (image(), [0, 1], "not have; the data has \\[0, 1\\]"),
            (FEATURES[6], ["image_url"], "needs the column 'caption'"),
            (FEATURES[7], ["x"], "'vector' needs the column 'embedding'"),
            (FEATURES[8], ["vector"], "needs the column 'review'"),
            (FEATURES[9], ["width"], "needs the column 'height'"),
            (FEATURES[10], [], "needs the column 't'"),
        ],
    )
    def test_missing_column(self, feature: CustomFeature, columns: list[Any], message: str) -> None:
        with pytest.raises(MissingColumnError, match=message):
            check_features([feature], columns)
        with pytest.raises(KeyError):
            check_features([feature], iter(columns))


def test_import_is_light() -> None:
    code = (
        "import sys, monitor.features; "
        "heavy = {'torch', 'pandas', 'open_clip', 'huggingface_hub', 'sklearn', 'PIL'}; "
        "print(heavy & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


@pytest.mark.parametrize("source", ["v_failure", "v_failure_detail"])
def test_failures_must_not_overwrite_the_source(source: str) -> None:
    with pytest.raises(InvalidFeatureError, match="writes its failures into"):
        ImageEmbedding(name="a", source_column=source, column="v", model="compact")
