"""Tensors of torch as numpy arrays, without importing torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_tensor(cell: object) -> bool:
    """Whether a cell is a tensor.

    >>> is_tensor(np.zeros(3))
    False
    """
    return callable(getattr(cell, "detach", None)) and callable(getattr(cell, "cpu", None))


def tensor_array(tensor: Any) -> NDArray[Any]:
    """A tensor's values, wherever they lie and whatever their type.

    One that has gradients or lies on a GPU is copied; a type that numpy does not have, such as bfloat16,
    becomes float32.

    Raises
    ------
    Exception
        Whatever torch raises of a tensor without values, as those on the device "meta".
    """
    dense = tensor.detach().cpu()
    try:
        return np.asarray(dense)
    except TypeError:
        return np.asarray(dense.float())
