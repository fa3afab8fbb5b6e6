"""The shifts of the judges' benchmark do what they are called."""

import numpy as np
import pytest
from judge.shifts import GEOMETRIES, VECTOR_SHIFTS, Geometry, World, mixed, moved, noisy


@pytest.fixture(scope="module")
def world() -> World:
    return World.draw(np.random.default_rng(0))


def rows(world: World, shift: str | None = None, size: float | None = None, n: int = 4000):
    return world.rows(n, np.random.default_rng(1), shift, size)


def test_vectors_have_length_one_and_the_cosine_of_clip(world):
    quiet = rows(world)
    assert np.linalg.norm(quiet, axis=1) == pytest.approx(1, abs=1e-5)
    mean = quiet.mean(axis=0, dtype=np.float64)
    assert 0.5 < mean @ mean < 0.7


@pytest.mark.parametrize("shift", [None, *VECTOR_SHIFTS])
def test_the_same_seed_gives_the_same_rows(world, shift):
    assert np.array_equal(rows(world, shift, n=50), rows(world, shift, n=50))


def shares_of(world: World, found: np.ndarray) -> np.ndarray:
    """Shares of the clusters, the new one last: nearest centre where a vector's own part is white."""
    whiten = np.linalg.inv(world.noise)
    centres = np.vstack([world.centres, world.fresh]) @ whiten
    distance = (centres**2).sum(axis=1) - 2 * found @ whiten @ centres.T
    return np.bincount(distance.argmin(axis=1), minlength=len(centres)) / len(found)


def test_quiet_rows_have_the_worlds_shares(world):
    assert shares_of(world, rows(world))[:-1] == pytest.approx(world.shares, abs=0.04)


def test_a_new_cluster_has_the_share_asked_for(world):
    gained = shares_of(world, rows(world, "new cluster", 0.2)) - shares_of(world, rows(world))
    assert gained[-1] == pytest.approx(0.2, abs=0.03)


def test_another_mix_grows_one_cluster(world):
    gained = shares_of(world, rows(world, "re-weighted", 0.3)) - shares_of(world, rows(world))
    expected = 0.3 * (1 - world.shares[world.grown])
    assert gained[world.grown] == pytest.approx(expected, abs=0.04)


def test_a_translation_moves_the_mean_along_its_direction(world):
    difference = (rows(world, "translation") - rows(world)).mean(axis=0)
    assert difference @ world.direction == pytest.approx(0.05, abs=0.005)


def test_spread_widens_what_is_a_vectors_own_only(world):
    quiet, wide = rows(world), rows(world, "spread")
    assert np.trace(np.cov(wide.T)) > 1.15 * np.trace(np.cov(quiet.T))
    assert np.linalg.norm(wide.mean(axis=0) - quiet.mean(axis=0)) < 0.12


def test_an_unknown_shift_is_refused(world):
    with pytest.raises(ValueError, match="shift='sideways' is unknown; give None or one of"):
        rows(world, "sideways")


def test_noise_has_the_deviation_asked_for():
    image = np.full((64, 64, 3), 128, dtype=np.uint8)
    changed = noisy(image, 10, np.random.default_rng(0)).astype(float)
    assert changed.std() == pytest.approx(10, rel=0.05)
    assert changed.mean() == pytest.approx(128, abs=0.5)


def test_noise_stays_among_the_grey_levels():
    dark = noisy(np.zeros((8, 8, 3), dtype=np.uint8), 100, np.random.default_rng(0))
    assert dark.dtype == np.uint8
    assert (dark == 0).any()


def test_no_geometry_leaves_an_image_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    assert np.array_equal(moved(image, Geometry(0, 0, 0), np.random.default_rng(0)), image)


def test_a_flip_mirrors_left_and_right():
    image = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    across = Geometry(0, 0, 0, flip_across=True)
    found = {moved(image, across, np.random.default_rng(seed)).tobytes() for seed in range(12)}
    assert found == {image.tobytes(), np.ascontiguousarray(image[:, ::-1]).tobytes()}


def test_a_move_fills_what_is_bare_with_the_edge():
    image = np.zeros((20, 20, 3), dtype=np.uint8)
    image[:, :10] = 200
    for seed in range(5):
        changed = moved(image, Geometry(0, 0.2, 0), np.random.default_rng(seed))
        assert (changed[:, 0] == 200).all()
        assert (changed[:, -1] == 0).all()


@pytest.mark.parametrize("size", GEOMETRIES)
def test_a_plain_image_stays_plain(size):
    image = np.full((30, 40, 3), 77, dtype=np.uint8)
    changed = moved(image, GEOMETRIES[size], np.random.default_rng(3))
    assert changed.shape == image.shape
    assert (changed == 77).all()


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.05, 2), (0.5, 20), (1.0, 40)])
def test_mixing_replaces_the_share_asked_for(share, expected):
    mine, others = np.zeros((40, 3), np.float32), np.ones((60, 3), np.float32)
    result = mixed(mine, others, share, np.random.default_rng(0))
    assert result[:, 0].sum() == expected
    assert not mine.any()


def test_mixing_refuses_more_than_there_are():
    with pytest.raises(ValueError, match="20 rows are to be replaced, but there are only 5 others"):
        mixed(
            np.zeros((40, 3), np.float32),
            np.ones((5, 3), np.float32),
            0.5,
            np.random.default_rng(0),
        )
