"""A suspected change is held against what the images' pixels and sides did."""

import numpy as np
import pytest

from monitor.drift.causes.likeness import Likeness
from monitor.drift.causes.matched import matched_shifts
from monitor.drift.causes.naming import pixel_name
from monitor.drift.causes.plausibility import is_plausible

FIELDS = ("brightness", "width", "height")
N = 200


def photos(rng, n=N, *, is_one_size=False):
    """Brightness, width and height of photos of many shapes, or of one."""
    sizes = rng.choice([300.0, 400.0, 480.0, 533.0, 640.0], size=(n, 2))
    if is_one_size:
        sizes[:] = 224.0
    return np.column_stack([rng.uniform(size=n), sizes]).astype(np.float32)


def moved(window, known):
    rng = np.random.default_rng(1)
    return matched_shifts(
        FIELDS,
        window,
        known,
        nearest=rng.integers(len(known), size=len(window)),
        nearest_of_known=rng.permutation(len(known)),
    )


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


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("name", CASES)
def test_the_sides_must_have_moved_with_the_shape(name, share):
    rng = np.random.default_rng(0)
    known, window = photos(rng, 1000), photos(rng)
    likeness = Likeness(name, explained=0.6, share=share, deviation=0.02)
    assert is_plausible(likeness, moved(scaled(window, share, *CASES[name]), known))
    assert not is_plausible(likeness, moved(window, known))


def test_what_leaves_the_shape_is_not_held_against_it():
    rng = np.random.default_rng(0)
    unmoved = moved(photos(rng), photos(rng, 1000))
    for name in ("darker", "upside down", "red and blue swapped", "blurred"):
        assert is_plausible(Likeness(name, explained=0.6, share=1.0, deviation=0.02), unmoved)


def test_images_of_one_size_and_unmeasured_ones_do_not_tell():
    rng = np.random.default_rng(0)
    squashed = Likeness("squashed", explained=0.6, share=1.0, deviation=0.02)
    window, known = photos(rng, is_one_size=True), photos(rng, 1000, is_one_size=True)
    shifts = moved(window, known)
    assert {shift.field: shift.deviation > 0 for shift in shifts} == {
        "brightness": True, "width": False, "height": False,
    }  # fmt: skip
    assert is_plausible(squashed, shifts)
    assert is_plausible(squashed, ())


def test_images_of_one_size_that_all_grew_wider_are_letterboxed_and_not_squashed():
    rng = np.random.default_rng(0)
    window, known = photos(rng, is_one_size=True), photos(rng, 1000, is_one_size=True)
    shifts = moved(scaled(window, 1.0, 1.3, 1), known)
    for name, is_allowed in {"squashed": False, "letterboxed": True, "darker": True}.items():
        likeness = Likeness(name, explained=0.6, share=1.0, deviation=0.02)
        assert is_plausible(likeness, shifts) is is_allowed
    assert pixel_name(shifts[0], shifts) == "letterboxed or stretched"
    both = moved(scaled(window, 1.0, 2, 2), known)
    assert pixel_name(both[0], both) == "scaled up or letterboxed"


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_of_images_that_nearly_all_are_darker_a_few_were_not_turned(share):
    rng = np.random.default_rng(0)
    window, known = photos(rng), photos(rng, 1000)
    window[:, 0] -= 1
    turned = Likeness("upside down", explained=0.6, share=share, deviation=0.02)
    assert is_plausible(turned, moved(window, known)) is (share > 0.25)
