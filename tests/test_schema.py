"""`Schema` and its columns: what may be declared, and what each mistake says."""

from __future__ import annotations

import pickle  # noqa: TID251 - schemas travel to workers
import subprocess
import sys
from typing import Any, ClassVar

import pytest

from monitor.errors import InvalidSchemaError, InvalidSpaceParamError
from monitor.schema import Blob, DescribedBlob, Float, IdField, Integer, Schema, String, Timestamp


class Photo(Schema):
    id: IdField
    image: Blob
    description: String
    taken: Timestamp


class Renamed(Schema):
    image: Blob = Blob(column="image_url")
    caption: String
    stars: Integer
    price: Float


photo, renamed = Photo(), Renamed()


def declare(annotations: dict[str, Any], **defaults: Any) -> type[Schema]:
    return type("Made", (Schema,), {"__annotations__": annotations, **defaults})


def test_columns_in_order() -> None:
    assert Photo.columns() == ("id", "image", "description", "taken")
    assert Renamed.columns() == ("image_url", "caption", "stars", "price")
    assert photo.columns() == Photo.columns()


def test_columns_are_bound() -> None:
    assert photo.image == Blob(column="image", name="image", schema="Photo")
    assert renamed.image == Blob(column="image_url", name="image", schema="Renamed")
    assert str(renamed.image) == "Renamed.image"
    assert Photo.fields()["taken"] == photo.taken


def test_either_order_describes_the_image() -> None:
    one, other = photo.image + photo.description, photo.description + photo.image
    assert one == other == DescribedBlob(photo.image, photo.description)
    assert hash(one) == hash(other)


def test_a_subclass_adds_columns() -> None:
    class More(Photo):
        label: String

    assert More.columns() == ("id", "image", "description", "taken", "label")
    assert More().image.schema == "More"


def test_class_variables_are_no_columns() -> None:
    class Told(Schema):
        source: ClassVar[str] = "camera"
        image: Blob

    assert Told.columns() == ("image",)


def test_is_a_value() -> None:
    assert Photo() == photo
    assert Photo() != renamed
    assert hash(Photo()) == hash(photo)
    assert pickle.loads(pickle.dumps(photo)) == photo
    assert pickle.loads(pickle.dumps(photo.image)) == photo.image
    assert repr(photo).startswith("Photo(id=IdField, image=Blob")


def test_does_not_change() -> None:
    with pytest.raises(AttributeError, match=r"Photo\.image is fixed"):
        photo.image = Blob()
    with pytest.raises(AttributeError):
        photo.image.column = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("annotations", "defaults", "message"),
    [
        ({}, {}, "declares no columns"),
        ({"image": str}, {}, r"Made\.image is annotated with str.*allowed: IdField, Blob"),
        ({"image": "Blobb"}, {}, r"cannot be read.*allowed: IdField, Blob"),
        ({"image": Blob}, {"image": "image_url"}, r"its default is 'image_url'; write image: Blob"),
        ({"image": Blob}, {"image": String()}, r"annotated with Blob but its default is String"),
        ({"a": IdField, "b": IdField}, {}, r"2 identifiers \(a, b\); at most one"),
        ({"a": Blob, "b": Blob}, {"b": Blob(column="a")}, r"Made\.a and Made\.b are both.*'a'"),
        ({"columns": Blob}, {}, "hide a method of Schema"),
    ],
)
def test_mistakes(annotations: dict[str, Any], defaults: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSchemaError, match=message):
        declare(annotations, **defaults)


@pytest.mark.parametrize("column", [" ", "\t\n", 3, None])
def test_blank_column(column: Any) -> None:
    with pytest.raises(InvalidSchemaError, match="must be text with something in it"):
        Blob(column=column)


def test_schema_itself_is_no_data_set() -> None:
    with pytest.raises(InvalidSchemaError, match="write a subclass"):
        Schema()


def test_image_and_description_of_two_schemas() -> None:
    with pytest.raises(InvalidSpaceParamError, match=r"same schema.*Photo.*Renamed"):
        _ = photo.image + renamed.caption


def test_image_and_description_in_one_column() -> None:
    with pytest.raises(InvalidSpaceParamError, match="both the column 'a'"):
        _ = Blob(column="a") + String(column="a")


@pytest.mark.parametrize("other", [photo.image, photo.taken, "caption", None])
def test_only_text_describes_an_image(other: Any) -> None:
    with pytest.raises(TypeError):
        _ = photo.image + other
    with pytest.raises(InvalidSpaceParamError, match="a Blob and a String"):
        DescribedBlob(photo.image, other)


def test_import_is_light() -> None:
    code = "import sys, monitor.schema; print({'torch', 'pandas', 'numpy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
