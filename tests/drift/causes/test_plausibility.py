"""A suspected change is held against what the images' pixels and sides did."""

import numpy as np
import pytest
from PIL import Image

from monitor.drift.causes.likeness import Likeness
from monitor.drift.causes.matched import matched_shifts
from monitor.drift.causes.naming import pixel_name
from monitor.drift.causes.plausibility import _RESHAPED, Sides, is_plausible
from monitor.images.suspects import SUSPECTS

FIELDS = ("brightness", "width", "height")
N = 200


def photos(rng, n=N, *, is_one_size=False):
    """Brightness, width and height of photos of many shapes, or of one."""
    sizes = rng.choice([300.0, 400.0, 480.0, 533.0, 640.0], size=(n, 2))
    if is_one_size:
        sizes[:] = 224.0
    return np.column_stack([rng.uniform(size=n), sizes]).astype(np.float32)


def told(name, share, window, known):
    """Whether a change of that share is plausible, and what the pixel statistics did."""
    rng = np.random.default_rng(1)
    nearest_of_known = rng.permutation(len(known))
    shifts = matched_shifts(
        FIELDS,
        window,
        known,
        nearest=rng.integers(len(known), size=len(window)),
        nearest_of_known=nearest_of_known,
    )
    likeness = Likeness(name, explained=0.6, share=share, deviation=0.02)
    sides = Sides(known[:, 1:], known[nearest_of_known, 1:])
    return is_plausible(likeness, shifts, sides), shifts


def scaled(rows, share, width, height):
    rows = rows.copy()
    rows[: round(len(rows) * share), 1:] *= [width, height]
    return rows


CASES = {
    "squashed": (1, 0.5),
    "squashed sideways": (0.5, 1),
    "letterboxed": (1.7, 1),
    "letterboxed in white": (1, 1.7),
}


@pytest.mark.parametrize("size", [(400, 533), (533, 400), (300, 300)])
def test_what_it_expects_of_the_sides_is_what_the_suspects_do(size):
    picture = Image.new("RGB", size)
    width, height = (np.array([float(side)]) for side in size)
    for name, change in SUSPECTS.items():
        reshaped = _RESHAPED.get(name)
        sides = size if reshaped is None else [float(side[0]) for side in reshaped(width, height)]
        # What is cropped or scaled down keeps its shape.
        if name not in {"cropped", "scaled down"}:
            assert change(picture).size == pytest.approx(sides, abs=1), name


@pytest.mark.parametrize("share", [0.6, 1.0])
@pytest.mark.parametrize("name", CASES)
def test_the_sides_must_have_moved_with_the_shape(name, share):
    rng = np.random.default_rng(0)
    known, window = photos(rng, 1000), photos(rng)
    assert told(name, share, scaled(window, share, *CASES[name]), known)[0]
    assert not told(name, share, window, known)[0]


@pytest.mark.parametrize("portraits", [1.0, 0.8, 0.5])
def test_turned_images_have_changed_sides_as_far_as_their_shape_lets_them(portraits):
    """Of as many portraits as landscapes there are as many when all are turned."""
    rng = np.random.default_rng(0)

    def photos_of_two_shapes(n):
        upright = rng.random(n) < portraits
        sizes = np.where(upright[:, None], [400.0, 533.0], [533.0, 400.0])
        sizes *= rng.uniform(0.7, 1.3, size=(n, 1))
        return np.column_stack([rng.uniform(size=n), sizes]).astype(np.float32)

    known, window = photos_of_two_shapes(1000), photos_of_two_shapes(N)
    assert told("turned by 90°", 1.0, window[:, [0, 2, 1]], known)[0]
    assert told("turned by 90°", 1.0, window, known)[0] is (portraits == 0.5)


def test_what_leaves_the_shape_is_not_held_against_it():
    rng = np.random.default_rng(0)
    known, window = photos(rng, 1000), photos(rng)
    for name in ("darker", "upside down", "red and blue swapped", "blurred"):
        assert told(name, 1.0, window, known)[0]


def test_images_of_one_size_and_unmeasured_ones_do_not_tell():
    rng = np.random.default_rng(0)
    window, known = photos(rng, is_one_size=True), photos(rng, 1000, is_one_size=True)
    is_told, shifts = told("squashed", 1.0, window, known)
    assert is_told
    assert {shift.field: shift.deviation > 0 for shift in shifts} == {
        "brightness": True, "width": False, "height": False,
    }  # fmt: skip
    assert is_plausible(Likeness("squashed", explained=0.6, share=1.0, deviation=0.02), ())


def test_images_of_one_size_that_all_grew_wider_are_letterboxed_and_not_squashed():
    rng = np.random.default_rng(0)
    window, known = photos(rng, is_one_size=True), photos(rng, 1000, is_one_size=True)
    wider = scaled(window, 1.0, 1.3, 1)
    for name, is_allowed in {"squashed": False, "letterboxed": True, "darker": True}.items():
        is_told, shifts = told(name, 1.0, wider, known)
        assert is_told is is_allowed
    assert pixel_name(shifts[0], shifts) == "letterboxed or stretched"
    _, shifts = told("darker", 1.0, scaled(window, 1.0, 2, 2), known)
    assert pixel_name(shifts[0], shifts) == "scaled up or letterboxed"


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_of_images_that_nearly_all_are_darker_a_few_were_not_turned(share):
    rng = np.random.default_rng(0)
    window, known = photos(rng), photos(rng, 1000)
    window[:, 0] -= 1
    assert told("upside down", share, window, known)[0] is (share > 0.25)
