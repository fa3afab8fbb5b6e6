"""Names from an encoder's own text tower: which word fits a group of rows better than the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Name, Words

LEAST_ROWS: Final = 5
"""Of fewer rows one picture makes the name."""
LEAST_SAID: Final = 0.25
"""Nats by which a word, with those that mean the same, must stand out to be a name: one that fits three
rows in ten, and one in ten elsewhere, gives 0.33; of a model with random weights no word gave 0.18."""
_N_WORDS: Final = 3
_SPREAD: Final = 3.0
"""The standard deviation that a row's similarities are brought to before they become probabilities: CLIP
learns to multiply its by 100 (Radford et al. 2021), and they spread by about 0.03 over everyday words."""
_ALIKE: Final = 0.8
"""Cosine of two words' vectors, less the mean word's, from which on they mean the same here."""
_BESIDE: Final = 0.5
"""A further word is told when it stands out by at least this part of what the first one does."""
MOST_NAMED: Final = 200
"""Rows of a group that are looked at."""


def fit_words(
    names: tuple[str, ...], vectors: NDArray[np.float32], rows: NDArray[np.float32]
) -> Words:
    """A vocabulary, and how well each word fits the rows of a baseline.

    Parameters
    ----------
    names
        The words, at least two.
    vectors
        (words, width) float32, of length 1.
    rows
        (n, width) float32, some rows of the baseline, drawn at random, of length 1.
    """
    kept = vectors.astype(np.float16)
    spread = float(_similarities(rows, kept).std(axis=1).mean())
    sharpness = _SPREAD / max(spread, 1e-6)
    fits = _fits(rows, kept, sharpness)
    return Words(names, kept, sharpness, fits.mean(axis=0).astype(np.float32))


def group_name(rows: NDArray[np.float32], words: Words) -> Name:
    """What rows that are alike show.

    With p(w) how likely a word fits a row of the group, by the softmax over all words, and q(w) how
    likely it fits a row of the baseline, or any word a row by chance, words are ranked by p log(p / q),
    their parts of the Kullback–Leibler divergence: what fits everything says nothing. A name is given
    when a word, with those that mean the same, stands out by `LEAST_SAID`.

    Parameters
    ----------
    rows
        (n, width) float32, the group's rows, of length 1.
    words
        The vocabulary.
    """
    if len(rows) < LEAST_ROWS or len(words) < 2:
        return Name()
    return _name(
        _fits(rows[spread_over(len(rows))], words.vectors, words.sharpness).mean(axis=0), words
    )


def spread_over(n: int) -> NDArray[np.int64]:
    """(m,) which of n rows are looked at, `MOST_NAMED` at most.

    Examples
    --------
    >>> spread_over(3).tolist(), len(spread_over(1_000))
    ([0, 1, 2], 200)
    """
    return np.linspace(0, n - 1, min(n, MOST_NAMED)).round().astype(np.int64)


def distinct(names: Sequence[Name], *, firm: Collection[int] = ()) -> tuple[Name, ...]:
    """The same names; of those that are alike, all but the first get a number.

    Parameters
    ----------
    names
        One for each cluster; empty ones stay.
    firm
        The clusters whose names come before those of others.

    Examples
    --------
    >>> [name.text for name in distinct([Name("hat"), Name("hat"), Name(), Name("shoes")])]
    ['hat', 'hat (2)', '', 'shoes']
    """
    taken: set[str] = set()
    result = list(names)
    for at in sorted(range(len(names)), key=lambda at: at not in firm):
        name, text = names[at], names[at].text
        n = 1
        while text in taken:
            n += 1
            text = f"{name.text} ({n})"
        taken |= {text} if text else set()
        result[at] = Name(text, name.words)
    return tuple(result)


def _name(fits: NDArray[np.float64], words: Words) -> Name:
    # What fits a row no better than any word at all does says nothing, however rare it was.
    usual = np.maximum(words.usual.astype(np.float64), 1 / len(words))
    said = fits * np.log(np.maximum(fits, 1e-12) / usual)
    order = np.argsort(-said, kind="stable")
    best = tuple(words.names[at] for at in order[:_N_WORDS])
    centred = words.vectors.astype(np.float32)
    centred -= centred.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    told: list[int] = []
    first = 0.0
    for at in order[:_N_WORDS].tolist():
        likeness = centred @ centred[at]
        is_same = likeness >= _ALIKE
        p, q = float(fits[is_same].sum()), float(usual[is_same].sum())
        together = p * float(np.log(max(p, 1e-12) / q))
        if together < max(LEAST_SAID, _BESIDE * first):
            break
        if told and likeness[told].max() >= _ALIKE:
            continue
        first = first or together
        told.append(at)
    return Name(", ".join(words.names[at] for at in told), best)


def _similarities(rows: NDArray[np.float32], vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    return np.asarray(rows @ vectors.T.astype(np.float32))


def _fits(
    rows: NDArray[np.float32], vectors: NDArray[np.float16], sharpness: float
) -> NDArray[np.float64]:
    """(n, words), for each row how likely each word fits it."""
    logits = sharpness * _similarities(rows, vectors).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    odds = np.exp(logits)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
