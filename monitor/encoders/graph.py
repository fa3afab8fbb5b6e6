"""A tower run as one graph, without Python between its layers.

A small model has a hundred layers of a tenth of a millisecond. After each, the thread that encodes must have
Python's lock again, which threads that read hold for milliseconds. TorchScript runs the whole tower without
that lock, in the same operations on the same numbers.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import nn

logger = logging.getLogger(__name__)

_WORTH_IT: Final = 8
"""Images in a batch; to make the graph takes as long as some fifty images."""


class GraphTower(nn.Module):
    """`tower`, run as a graph from its first batch of some size on.

    Where no graph can be made, or it gives other numbers to the last bit, the tower itself runs.

    Parameters
    ----------
    tower
        In evaluation mode, on the CPU.
    pixel_values
        Makes of pictures, bytes or numbers, what the tower takes.

    Examples
    --------
    >>> tower = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten()).eval()
    >>> pictures = torch.rand(9, 3, 8, 8)
    >>> with torch.inference_mode():
    ...     torch.equal(GraphTower(tower, torch.sqrt)(pictures), tower(pictures.sqrt()))
    True
    """

    def __init__(
        self, tower: nn.Module, pixel_values: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.whole = _Whole(tower, pixel_values)
        self._lock = threading.Lock()
        # Not as attributes: a module would become a part of this one.
        self._runs: dict[torch.dtype, Any] = {}
        self.eval()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """What the tower makes of pictures, (n, 3, height, width)."""
        run = self.whole if len(pictures) < _WORTH_IT else self._graph(pictures)
        made: torch.Tensor = run(pictures)
        return made

    def _graph(self, pictures: torch.Tensor) -> Any:
        with self._lock:
            if pictures.dtype not in self._runs:
                self._runs[pictures.dtype] = _graph_of(self.whole, pictures)
        return self._runs[pictures.dtype]


class _Whole(nn.Module):
    """From pictures to features."""

    def __init__(
        self, tower: nn.Module, pixel_values: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.tower = tower
        self._pixel_values = pixel_values

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.tower(self._pixel_values(pictures))
        return features


def _graph_of(tower: nn.Module, pictures: torch.Tensor) -> Any:
    """The graph; the tower where there is none that makes the same of batches of other sizes."""
    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        # TorchScript is on its way out, and nothing else has come that runs without a compiler.
        warnings.simplefilter("ignore")
        few = pictures[:3].clone(memory_format=torch.preserve_format)
        try:
            traced = torch.jit.trace(tower, few[:2], check_trace=False)
            graph = torch.jit.freeze(traced, optimize_numerics=False)
            is_same = all(torch.equal(graph(part), tower(part)) for part in (few[:1], few))
        except Exception as error:  # whatever a tower does that cannot be followed
            logger.debug("the image tower runs layer by layer: %s", error)
            return tower
    return graph if is_same else tower
