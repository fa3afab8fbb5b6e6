"""Preprocessed pictures, one by one, become a batch on the model's device."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from monitor.errors import EncoderError

Pictures = Sequence[torch.Tensor] | Sequence[NDArray[np.uint8]] | torch.Tensor
"""Tensors (3, height, width), arrays (height, width, 3) of uint8, or a batch (n, 3, height, width)."""


class _Lane:
    """A way to the GPU: a stream, and pinned memory that is used again for batch after batch."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._memory = torch.empty(0, dtype=torch.uint8)

    def filled(self, pictures: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """(n, height, width, 3) of `pictures`; the last batch has left it, its vectors have come back."""
        shape = (len(pictures), *pictures[0].shape)
        size = math.prod(shape)
        if self._memory.numel() < size:
            self._memory = torch.empty(size, dtype=torch.uint8, pin_memory=True)
        batch = self._memory[:size].view(shape)
        # By numpy: torch would share so little work out among threads, which wait for cores that are busy.
        for place, picture in zip(batch.numpy(), pictures, strict=True):
            np.copyto(place, picture)
        return batch


class Staging:
    """Brings batches to `device`, and features back.

    A GPU reads the host's memory at full speed where it is pinned, which takes long to allocate; and what
    was computed in one stream leaves memory behind that is used again by that stream alone. So both are kept,
    as many as there are threads at once.

    Examples
    --------
    >>> pictures = [np.full((4, 6, 3), i, dtype=np.uint8) for i in range(2)]
    >>> Staging(torch.device("cpu")).on_device(pictures).shape
    torch.Size([2, 3, 4, 6])
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._free: deque[_Lane] = deque()
        self._of_thread = threading.local()
        self._process = os.getpid()

    @contextmanager
    def lane(self) -> Iterator[None]:
        """What is asked of a GPU within the block goes into a stream that no other thread has.

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
        try:
            lane = self._free.pop()
        except IndexError:
            lane = _Lane(self._device)
        # A batch of the caller's may still be on its way there.
        lane.stream.wait_stream(torch.cuda.current_stream(self._device))
        self._of_thread.lane = lane
        try:
            with torch.cuda.stream(lane.stream):
                yield
        finally:
            self._of_thread.lane = None
            self._free.append(lane)

    def on_device(self, pictures: Pictures) -> torch.Tensor:
        """(n, 3, height, width) on the device, of one type; bytes lie there with their channels last.

        On a GPU, within `lane`, the copy goes on after the return, in the order of the lane's stream.
        """
        if isinstance(pictures, torch.Tensor):
            return pictures.to(self._device)
        first: Any = pictures[0]
        if isinstance(first, torch.Tensor) and not _are_bytes_here(first):
            return torch.stack(list(pictures)).to(self._device)  # type: ignore[arg-type]
        # As they lie in memory, one after the other: a tensor of channels first is a view of that.
        rows = [_channels_last(picture) for picture in pictures]
        lane: _Lane | None = getattr(self._of_thread, "lane", None)
        if lane is None:
            stacked = torch.from_numpy(np.stack(rows)).to(self._device)
        else:
            stacked = lane.filled(rows).to(self._device, non_blocking=True)
        return stacked.permute(0, 3, 1, 2)

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


def _are_bytes_here(picture: torch.Tensor) -> bool:
    return picture.dtype == torch.uint8 and picture.device.type == "cpu"


def _channels_last(picture: torch.Tensor | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(picture, torch.Tensor):
        pixels: NDArray[np.uint8] = picture.permute(1, 2, 0).numpy()
        return pixels
    return picture
