"""A vocabulary ─► vectors in the images' space, of the words that the encoder knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.kmeans import unit_rows

EncodeTexts = Callable[[Sequence[str]], NDArray[np.float32]]

_PROMPTS: Final = ("a photo of {a}", "a photo of {}", "{}")
"""Several wordings' mean names images better than any one (Radford et al. 2021, section 3.1.4)."""
_MADE_UP: Final = (
    *("zxqv", "blorp", "wug", "frobnicate", "dax"),
    *("gleeb fop", "florpin quaz vub", "mip nard tolk vesh"),
)
"""Of one to several tokens. Berko (1958) asked children for the plural of "wug"."""
_SAME: Final = 0.97
"""Cosine to a made-up word from which on a word says no more than that."""
_SMALL_WORDS: Final = frozenset(("a", "an", "and", "in", "no", "of", "on", "the", "to", "with"))


def word_vectors(
    names: Sequence[str], encode_texts: EncodeTexts
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The words that an encoder knows, and their vectors, (n, width) float32 of length 1.

    A word that gives the vector of a made-up one was never learned, and a phrase with such a word means
    no more than the rest of it: to an encoder that knows "coat", a "lab coat" may be one. Both are left out.

    Parameters
    ----------
    names
        Words or phrases.
    encode_texts
        The encoder's text tower: unit vectors (n, width) of n texts.
    """
    names = tuple(names)
    if not names:
        return (), np.empty((0, 0), dtype=np.float32)
    first, *others = _PROMPTS
    made_up = encode_texts(
        [text for word in _MADE_UP for text in (_written(first, word), first.replace("{a}", word))]
    )
    vectors = encode_texts([_written(first, name) for name in names])
    is_known = _differ(vectors, made_up)
    alone = {name: bool(known) for name, known in zip(names, is_known, strict=True)}
    if not all(known for name, known in alone.items() if " " not in name):
        # Phrases are only taken apart for encoders that lack words: it costs as many texts again.
        phrases = [name for name, known in alone.items() if known and len(_parts(name)) > 1]
        if parts := sorted({part for name in phrases for part in _parts(name)} - alone.keys()):
            of_parts = _differ(encode_texts([_written(first, part) for part in parts]), made_up)
            alone |= dict(zip(parts, of_parts.tolist(), strict=True))
        for at in np.flatnonzero(is_known):
            is_known[at] = all(alone[part] for part in _parts(names[at]))
    kept = tuple(name for name, known in zip(names, is_known, strict=True) if known)
    if not kept:
        return (), vectors[:0]
    total = vectors[is_known] + sum(
        encode_texts([_written(prompt, name) for name in kept]) for prompt in others
    )
    return kept, unit_rows(total)


def _parts(name: str) -> list[str]:
    parts = [part for part in re.split(r"[\s-]+", name) if part.lower() not in _SMALL_WORDS]
    return parts if len(parts) > 1 else [name]


def _differ(vectors: NDArray[np.float32], made_up: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray((vectors @ made_up.T).max(axis=1) < _SAME)


def _written(prompt: str, name: str) -> str:
    article = "an" if name[0].lower() in "aeiou" else "a"
    is_many = name.endswith("s") and not name.endswith("ss")
    return prompt.replace("{a}", name if is_many else f"{article} {name}").replace("{}", name)
