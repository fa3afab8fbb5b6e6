"""Preprocessed pictures, one by one, become a batch on the model's device."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from monitor.errors import EncoderError

Pictures = Sequence[torch.Tensor] | Sequence[NDArray[np.uint8]] | torch.Tensor
"""Tensors (3, height, width), arrays (height, width, 3) of uint8, or a batch (n, 3, height, width)."""


class Staging:
    """Brings batches to `device`.

    A GPU reads the host's memory at full speed where it is pinned, which takes long to allocate. So each
    thread has a piece of its own that it uses again and again, and a stream, beside which the
    batch of another thread is encoded.

    Examples
    --------
    >>> pictures = [np.full((4, 6, 3), i, dtype=np.uint8) for i in range(2)]
    >>> Staging(torch.device("cpu")).on_device(pictures).shape
    torch.Size([2, 3, 4, 6])
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._of_thread = threading.local()
        self._process = os.getpid()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """What is asked of the GPU within the block goes into the thread's own stream.

        Raises
        ------
        EncoderError
            In a process that was forked after the model was brought to the GPU, where CUDA does not follow.
        """
        if not self._is_cuda:
            yield
            return
        if os.getpid() != self._process:
            raise EncoderError(
                f"the model is on {self._device} of the process that this one was forked from, and cannot be "
                "used here: start processes by 'spawn' or 'forkserver', or load the model after the fork"
            )
        if not hasattr(self._of_thread, "stream"):
            self._of_thread.stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        stream = self._of_thread.stream
        # A batch of the caller's may still be on its way there.
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            yield

    def on_device(self, pictures: Pictures) -> torch.Tensor:
        """(n, 3, height, width) on the device, of one type; bytes lie there with their channels last.

        On a GPU the copy goes on after the return, in the order of the current stream.
        """
        if isinstance(pictures, torch.Tensor):
            return pictures.to(self._device)
        first: Any = pictures[0]
        if isinstance(first, torch.Tensor) and first.dtype != torch.uint8:
            return torch.stack(list(pictures)).to(self._device)  # type: ignore[arg-type]
        # As they lie in memory, one after the other: a tensor of channels first is a view of that.
        rows = [_channels_last(picture) for picture in pictures]
        if not self._is_cuda:
            return torch.stack(rows).permute(0, 3, 1, 2).to(self._device)
        pinned = self._pinned(len(rows), rows[0].shape)
        torch.stack(rows, out=pinned)
        return pinned.to(self._device, non_blocking=True).permute(0, 3, 1, 2)

    def on_host(self, features: torch.Tensor) -> torch.Tensor:
        """`features` in the host's memory, float32.

        The thread sleeps until they are there; by itself torch asks again and again, which takes one core for
        each thread that waits.
        """
        if not self._is_cuda:
            return features.to("cpu", torch.float32)
        rows = torch.empty(features.shape, dtype=torch.float32, pin_memory=True)
        rows.copy_(features.to(torch.float32), non_blocking=True)
        arrived = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        arrived.record()
        arrived.synchronize()
        return rows

    def _pinned(self, n: int, shape: torch.Size) -> torch.Tensor:
        """(n, *shape) uint8. The thread's last batch has left it: its vectors have come back since."""
        size = n * shape.numel()
        memory: torch.Tensor | None = getattr(self._of_thread, "memory", None)
        if memory is None or memory.numel() < size:
            # One that goes is used again by torch only once the GPU has read it.
            memory = torch.empty(size, dtype=torch.uint8, pin_memory=True)
            self._of_thread.memory = memory
        return memory[:size].view(n, *shape)


def _channels_last(picture: torch.Tensor | NDArray[np.uint8]) -> torch.Tensor:
    if isinstance(picture, torch.Tensor):
        return picture.permute(1, 2, 0)
    return torch.from_numpy(picture)
