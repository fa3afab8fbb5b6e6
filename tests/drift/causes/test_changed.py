"""Which rows are listed as changed, and what tells the two sides apart."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.clusters import KnownRows
from monitor.drift.causes.changed import changed_rows
from monitor.drift.causes.discriminant import kernel_discriminant, linear_discriminant
from monitor.drift.causes.likeness import Likeness
from monitor.drift.causes.matched import MatchedShift
from monitor.drift.causes.movement import MovementParts
from monitor.drift.causes.naming import change_name

WIDTH = 12


def known_rows(n=600):
    vectors = np.random.default_rng(0).normal(size=(n, WIDTH)).astype(np.float32)
    return KnownRows(vectors, np.empty((n, 0), dtype=np.float32))


@pytest.fixture(scope="module")
def changed():
    window = np.random.default_rng(1).normal(size=(200, WIDTH)).astype(np.float32)
    window[:60] += 2
    return changed_rows(window, known_rows())


def scored(changed, scores):
    """The same rows with scores of our own, the likeliest first."""
    scores = np.asarray(scores, dtype=np.float64)
    return replace(changed, scores=scores, order=np.argsort(-scores, kind="stable"))


def test_one_in_twenty_listed_rows_is_expected_to_be_wrong(changed):
    listed = scored(changed, [1.0] * 8 + [0.9, 0.6, 0.6, 0.55, 0.3]).rows
    # 8 + 0.9 + 0.6 of 10 rows; an eleventh would make it 10.1 of 11.
    assert listed.tolist() == list(range(10))
    assert scored(changed, [1.0] * 99 + [0.4] * 2).rows.tolist() == list(range(99))


def test_where_no_row_is_sure_the_likely_ones_are_listed(changed):
    unsure = scored(changed, [0.8, 0.7, 0.51, 0.49, 0.0])
    assert unsure.rows.tolist() == unsure.likely.tolist() == [0, 1, 2]
    assert scored(changed, [0.2, 0.1]).rows.tolist() == []


def test_listed_rows_are_those_that_changed():
    known, wrong, n_listed = known_rows(), 0, 0
    for seed in range(6):
        window = np.random.default_rng([seed, 4]).normal(size=(200, WIDTH)).astype(np.float32)
        window[:60] += 2
        listed = changed_rows(window, known, random_state=seed).rows
        wrong, n_listed = wrong + int((listed >= 60).sum()), n_listed + len(listed)
    assert n_listed >= 6 * 50
    # One in twenty, and three standard errors of that.
    assert wrong / n_listed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_listed)


@pytest.mark.parametrize("told_apart", [kernel_discriminant, linear_discriminant])
def test_like_sides_are_not_told_apart(told_apart):
    rng = np.random.default_rng(2)
    areas = []
    for _ in range(8):
        window, known = (rng.normal(size=(n, WIDTH)).astype(np.float32) for n in (60, 200))
        of_window, of_known = told_apart(window, known, rng)
        areas.append((of_window[:, None] > of_known).mean())
    # One area has a standard error of √(261 / (12 · 60 · 200)) = 0.043 (Mann & Whitney 1947).
    assert np.mean(areas) == pytest.approx(0.5, abs=3 * 0.043 / np.sqrt(8))


def test_a_row_on_both_sides_tells_nothing():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(80, WIDTH)).astype(np.float32)
    of_window, of_known = kernel_discriminant(rows, rows, rng)
    assert np.abs(of_window).max() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(of_window, of_known, atol=1e-6)


def parts(*likenesses):
    return MovementParts(9.0, 0.0, np.zeros(3, dtype=bool), False, likenesses)


def test_changes_that_explain_alike_much_are_named_together():
    swapped = Likeness("red and blue swapped", 0.94, 0.9, 0.03)
    inverted = Likeness("inverted", 0.83, 0.6, 0.03)
    assert parts(swapped, inverted).alike == ()
    cropped = Likeness("cropped", 0.82, 0.7, 0.02)
    squashed = Likeness("squashed", 0.78, 0.6, 0.02)
    close = parts(cropped, squashed, Likeness("tilted", 0.5, 0.6, 0.02))
    assert (close.likest, close.alike) == (cropped, (squashed,))
    assert change_name((cropped, *close.alike), ()) == "cropped or squashed"
    assert parts().alike == ()


SIZES = {
    "both": [MatchedShift("width", -0.9, 1e-9), MatchedShift("height", -0.8, 1e-9)],
    "height": [MatchedShift("width", 0.0, 1.0), MatchedShift("height", -0.8, 1e-9)],
    "neither": [MatchedShift("width", 0.0, 1.0), MatchedShift("height", -0.1, 0.5)],
}


@pytest.mark.parametrize(
    ("names", "fell", "told"),
    [
        (("blurred",), "both", "scaled down"),
        (("scaled down",), "neither", "blurred"),
        (("cropped", "squashed"), "both", "cropped"),
        (("cropped", "scaled down"), "height", "squashed or cropped"),
        (("scaled down", "blurred", "cropped"), "neither", "blurred or cropped"),
        (("darker",), "height", "darker"),
    ],
)
def test_sizes_tell_what_vectors_do_not(names, fell, told):
    likest = [Likeness(name, 0.8, 0.7, 0.02) for name in names]
    assert change_name(likest, SIZES[fell]) == told
