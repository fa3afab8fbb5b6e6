"""What a shift is called, on vectors whose change is known."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.clusters import KnownRows, Movements, fit
from monitor.clusters.fitting import Clustering
from monitor.drift import Rules, ShiftKind, Verdict, change_of, judge, row_evidence, shift_kinds
from monitor.drift.causes.changed import changed_rows
from monitor.drift.causes.kinds import _most_moved
from monitor.drift.causes.pixels import QualityShift

WIDTH = 24
N_KINDS = 6
CENTRES = np.random.default_rng(5).normal(size=(N_KINDS, WIDTH)) * 1.2 + 1
NEW = np.random.default_rng(6).normal(size=WIDTH) * 3
SWAP = np.random.default_rng(7).normal(size=WIDTH).astype(np.float32)
SWAP /= np.linalg.norm(SWAP) / 2


def rows(n, rng, shares=None):
    labels = rng.choice(N_KINDS, n, p=shares)
    return (CENTRES[labels] + rng.normal(size=(n, WIDTH))).astype(np.float32)


def of(vectors):
    return KnownRows(vectors, np.empty((len(vectors), 0), dtype=np.float32))


@pytest.fixture(scope="module")
def baseline():
    vectors = rows(1_500, np.random.default_rng(0))
    # Centroids longer than 1: vectors are taken as they are.
    fitted = fit(vectors, {"name": "points"}, Clustering(N_KINDS, centroids=CENTRES))
    known = of(vectors[:1_000])
    movements = Movements(
        ("red and blue swapped", "blurred"), np.stack([SWAP, np.roll(SWAP, 5)]), n_images=60
    )
    return replace(fitted, known=known, movements=movements)


def swapped(share, rng):
    window = rows(300, rng)
    return window + SWAP * (rng.random((300, 1)) < share)


def with_new(share, rng):
    window = rows(300, rng)
    n = round(300 * share)
    window[:n] = NEW + rng.normal(size=(n, WIDTH))
    return window


CASES = {
    "all swapped": (lambda rng: swapped(1.0, rng), ShiftKind.TECHNICAL, 1.0),
    "a third swapped": (lambda rng: swapped(0.33, rng), ShiftKind.TECHNICAL, 0.33),
    "a fifth new": (lambda rng: with_new(0.2, rng), ShiftKind.NEW_CONTENT, 0.2),
    "half new": (lambda rng: with_new(0.5, rng), ShiftKind.NEW_CONTENT, 0.5),
    "one kind grown": (
        lambda rng: rows(300, rng, [0.5, 0.1, 0.1, 0.1, 0.1, 0.1]), ShiftKind.NEW_MIX, 0.33,
    ),
    "two kinds gone": (
        lambda rng: rows(300, rng, [0.25, 0.25, 0.25, 0.25, 0, 0]), ShiftKind.CONTENT_LOST, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_first_word_is_the_right_one(baseline, name):
    make, kind, share = CASES[name]
    for seed in range(2):
        window = make(np.random.default_rng([seed, 1])).astype(np.float32)
        judgement = judge(baseline.sketch(window, {}), baseline, rules=Rules(0.01))
        assert judgement.verdict is Verdict.DRIFT
        change = change_of(judgement, row_evidence(window, None, baseline))
        assert change.kind is kind
        assert shift_kinds(judgement, change, is_broken=False) == (kind,)
        assert change.cause == ("red and blue swapped" if kind is ShiftKind.TECHNICAL else "")
        if share is not None:
            assert change.share == pytest.approx(share, abs=0.15)
            assert change.low <= share <= change.high
        assert 0 <= change.low <= change.share <= change.high <= 1


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_other_content_that_lies_half_along_a_change_is_not_that_change(baseline, share):
    """With red and blue swapped back, too, its rows are like nothing known, whatever the others are like."""
    rng = np.random.default_rng(5)
    axes = baseline.whitener.astype(np.float64)
    along = SWAP @ axes
    across = rng.normal(size=WIDTH)
    across -= (across @ along) / (along @ along) * along
    across *= np.linalg.norm(along) / np.linalg.norm(across)
    for far, is_named in ((0.5, True), (1.1, False)):
        moved = 4 * (along + far * across) @ np.linalg.inv(axes)
        is_other = np.arange(300) < 300 * share
        window = (rows(300, rng) + moved * is_other[:, None]).astype(np.float32)
        parts = row_evidence(window, None, baseline).parts
        likest = parts.likenesses[0]
        assert likest.explained == pytest.approx(1 / (1 + far**2), abs=0.05)
        assert likest.leaves_unknown is not is_named
        assert (parts.likest is likest) is is_named


def test_a_broken_feed_comes_before_all_else(baseline):
    window = with_new(0.5, np.random.default_rng(3)).astype(np.float32)
    judgement = judge(baseline.sketch(window, {}), baseline, rules=Rules(0.01))
    change = change_of(judgement, row_evidence(window, None, baseline))
    assert shift_kinds(judgement, change, is_broken=True) == (ShiftKind.BROKEN_FEED,)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_rows_that_changed_are_found(share):
    known = rows(1_000, np.random.default_rng(4))
    n_new = round(300 * share)
    precision, recall, shares = [], [], []
    for seed in range(4):
        window = with_new(share, np.random.default_rng(seed)).astype(np.float32)
        changed = changed_rows(window, of(known))
        listed = changed.rows[changed.scores[changed.rows] >= 0.5]
        precision.append((listed < n_new).mean())
        recall.append((listed < n_new).sum() / n_new)
        shares.append(changed.share)
    # Of 15 new rows, one old one that is as odd costs 0.06.
    assert np.mean(precision) >= (0.95 if n_new > 20 else 0.9)
    assert np.mean(recall) >= 0.95
    assert np.mean(shares) == pytest.approx(share, abs=max(0.05, share / 4))


def test_pixels_that_moved_alone_are_a_technical_change(baseline):
    judgement = judge(
        baseline.sketch(rows(300, np.random.default_rng(4)), {}), baseline, rules=Rules(0.01)
    )
    calm = tuple(replace(test, p_value=0.9) for test in judgement.tests)
    pixels = replace(calm[0], name="pixels", p_value=1e-6)
    alone = replace(judgement, verdict=Verdict.DRIFT, tests=(*calm, pixels))
    assert shift_kinds(alone, None, is_broken=False) == (ShiftKind.TECHNICAL,)
    novel = tuple(replace(t, p_value=1e-6) if t.name == "novelty" else t for t in calm)
    both = replace(alone, tests=(*novel, pixels))
    assert shift_kinds(both, None, is_broken=False) == (ShiftKind.NEW_CONTENT,)


def test_where_all_rows_changed_all_are_listed(baseline):
    window = swapped(1.0, np.random.default_rng(9)).astype(np.float32)
    changed = changed_rows(window, baseline.known)
    assert len(changed.given(1.0).rows) == len(window)
    assert len(changed.given(0.0).rows) <= len(changed.rows)


def test_copies_of_a_row_do_not_vouch_for_each_other():
    rng = np.random.default_rng(8)
    window = np.repeat(rows(60, rng), 5, axis=0)
    # Scored by models that saw their copies, nearly all would look new.
    assert changed_rows(window, of(rows(1_000, rng))).share < 0.3


def test_calm_rows_hardly_change():
    shares = [
        changed_rows(rows(200, rng), of(rows(1_000, rng))).share
        for rng in map(np.random.default_rng, range(8))
    ]
    assert np.mean(shares) < 0.03


def test_too_few_rows_tell_nothing(baseline):
    assert row_evidence(rows(19, np.random.default_rng(0)), None, baseline) is None


def test_a_statistic_that_no_image_has_any_more_names_nothing():
    def shift(field, effect, p_value):
        return QualityShift(field, 0.5, 0.4, "other", effect, 0.0, 1.0, p_value)

    gone, fell = shift("bytes_per_pixel", np.nan, 1e-4), shift("sharpness", -0.2, 1e-3)
    assert _most_moved([gone]) is None
    assert _most_moved([gone, fell]) is fell
