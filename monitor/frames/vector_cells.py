"""One cell ─► a vector or a number, or the reason why it is none."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.empty_cells import is_missing
from monitor.tensors import tensor_array

NO_NUMBER: Final = ("", "na", "n/a", "#n/a", "nan", "null", "none", "<na>")
"""How writers of text files spell a number that is not there."""


def vector_of(cell: Any) -> NDArray[Any] | str:
    """A cell as a vector: a list, tuple, array or tensor of numbers; or why it is none.

    >>> vector_of([1, 2]).tolist(), vector_of("[1, 2]"), vector_of([]), vector_of([[1], [2]])
    ([1, 2], 'not_numeric', 'missing', 'wrong_dimension')
    """
    if is_missing(cell):
        return "missing"
    if isinstance(cell, str | bytes | dict | set) or np.isscalar(cell):
        return "not_numeric"
    if isinstance(cell, np.ma.MaskedArray) and np.ma.is_masked(cell):
        # Under the mask lies a value that does not count.
        cell = np.ma.filled(cell.astype(object), np.nan)
    try:
        vector = _array(cell)
    except Exception:  # what foreign objects raise is theirs: ragged lists, tensors on no device
        return "not_numeric"
    if vector.size == 0:
        return "missing"
    if vector.ndim != 1:
        return "wrong_dimension"
    if vector.dtype.kind == "O":
        return _numbers(vector)
    return vector if vector.dtype.kind in "fiu" else "not_numeric"


def vector_of_text(cell: Any) -> NDArray[Any] | str:
    """A cell as a vector that may be written as text, as JSON, pgvector, NumPy and SQL do; or why it is none.

    >>> vector_of_text(" [1, 2.5e-1,null] ").tolist(), vector_of_text("1, 2"), vector_of_text("NA")
    ([1.0, 0.25, nan], 'not_numeric', 'missing')
    >>> vector_of_text("[ 1.  -2.5\\n 3. ]").tolist(), vector_of_text("{1,NULL}").tolist()
    ([1.0, -2.5, 3.0], [1.0, nan])
    >>> vector_of_text("[0.1 0.2 ... 0.9]")  # NumPy left some out
    'not_numeric'
    """
    if not isinstance(cell, str):
        return vector_of(cell)
    if cell.strip().lower() in NO_NUMBER:
        return "missing"
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return _vector_in_brackets(cell.strip())
    return vector_of(value) if isinstance(value, list) else "not_numeric"


def _vector_in_brackets(text: str) -> NDArray[Any] | str:
    if (text[:1], text[-1:]) not in (("[", "]"), ("{", "}")):
        return "not_numeric"
    numbers = [number_of(word) for word in text[1:-1].replace(",", " ").split()]
    return "not_numeric" if None in numbers else np.array(numbers, dtype=np.float64)


def number_of(cell: Any) -> float | None:
    """A cell as a number, NaN where it is empty; None where it is no number.

    >>> [number_of(cell) for cell in (7, " 1.5 ", "NA", "x", True)]
    [7.0, 1.5, nan, None, 1.0]
    """
    if is_missing(cell) or (isinstance(cell, str) and cell.strip().lower() in NO_NUMBER):
        return float("nan")
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None


def _array(cell: Any) -> NDArray[Any]:
    # Whatever can be detached means to be one; where it is broken, that is said.
    if callable(getattr(cell, "detach", None)):
        return tensor_array(cell)
    array = np.asarray(cell)
    if array.ndim == 0 and callable(getattr(cell, "to_list", None)):
        return np.asarray(cell.to_list())  # pgvector's own
    return array


def _numbers(values: NDArray[np.object_]) -> NDArray[np.float64] | str:
    if any(isinstance(value, str | bytes) for value in values):
        return "not_numeric"
    try:
        return np.array([np.nan if is_missing(value) else float(value) for value in values])
    except OverflowError:  # an int that no float can hold
        return "not_finite"
    except (TypeError, ValueError):
        return "not_numeric"
