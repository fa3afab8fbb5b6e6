"""The words that images are named by: the project's own, or a user's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from monitor.errors import InvalidInputError
from monitor.redaction import shorten

MOST_WORDS: Final = 10_000
"""More take minutes to encode, and no report tells so many things apart."""
_LONGEST: Final = 80

Vocabulary = Sequence[str] | str | Path
"""A list of words, or the path of a text file: a word a line, `#` begins a comment."""


def read_vocabulary(vocabulary: Vocabulary | None = None) -> tuple[str, ...]:
    """The words of a vocabulary, each once, in their order; the project's own about 1,400 by default.

    Parameters
    ----------
    vocabulary
        A list of words, or a text file's path. An empty list names nothing.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or there are too many words, or a word is too long.

    Examples
    --------
    >>> len(read_vocabulary()) > 1_000, read_vocabulary(["pallet", "crate", "pallet"])
    (True, ('pallet', 'crate'))
    """
    if vocabulary is None:
        text = resources.files("monitor.naming").joinpath("vocabulary.txt").read_text("utf-8")
        return _checked(_lines(text), "the vocabulary")
    if isinstance(vocabulary, str | Path):
        path = Path(vocabulary)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise InvalidInputError(
                f"the vocabulary {path} cannot be read ({error}): give the path of a text file in UTF-8 "
                "with a word a line, or a list of words"
            ) from error
        return _checked(_lines(text), f"the vocabulary {path}")
    return _checked((" ".join(str(word).split()) for word in vocabulary), "the vocabulary")


def _lines(text: str) -> Iterable[str]:
    return (" ".join(line.split("#")[0].split()) for line in text.splitlines())


def _checked(words: Iterable[str], what: str) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(word for word in words if word))
    if len(unique) > MOST_WORDS:
        raise InvalidInputError(
            f"{what} has {len(unique):,} words: at most {MOST_WORDS:,} are allowed; leave out what your "
            "images never show"
        )
    for word in unique:
        if len(word) > _LONGEST:
            raise InvalidInputError(
                f"{what} holds {shorten(word, 40)!r}, {len(word)} letters: a word or phrase of at most "
                f"{_LONGEST} is allowed, a word a line"
            )
    return unique
