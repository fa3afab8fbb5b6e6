"""The teacher: a float MobileNetV1-1.0-224 image embedder (1024 numbers per image).

It is used to compute targets and as the yardstick of the benchmark. Its weights never enter the
student: the student starts from random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

TEACHER_SIZE = 224
TEACHER_WIDTH = 1024
_DEPTHWISE_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


class Teacher(nn.Module):
    """MobileNetV1 up to its global average pool, weights read from a plain array file."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        arrays = np.load(weights, allow_pickle=False)
        names = sorted(key for key in arrays.files if key.endswith("_w"))
        self.depthwise = [name.endswith("dw_w") for name in names]
        self.strides = [2]
        strides = iter(_DEPTHWISE_STRIDES)
        self.strides += [next(strides) if is_dw else 1 for is_dw in self.depthwise[1:]]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.from_numpy(arrays[name]), requires_grad=False) for name in names
        )
        self.biases = nn.ParameterList(
            nn.Parameter(torch.from_numpy(arrays[f"{name[:3]}_b"]), requires_grad=False)
            for name in names
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Embed a batch of RGB images in [-1, 1], N x 3 x 224 x 224."""
        x = images.contiguous(memory_format=torch.channels_last)
        layers = zip(self.weights, self.biases, self.strides, self.depthwise, strict=True)
        for weight, bias, stride, depthwise in layers:
            groups = x.shape[1] if depthwise else 1
            if weight.shape[-1] == 3 and stride == 2:
                # 'SAME' padding at an even size puts the odd row and column at the far side.
                x = F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, bias, stride, 0, 1, groups)
            else:
                pad = weight.shape[-1] // 2
                x = F.conv2d(x, weight, bias, stride, pad, 1, groups)
            x = F.relu6(x)
        return x.mean((2, 3))

    @torch.inference_mode()
    def embed_arrays(self, images: np.ndarray, batch: int = 32) -> np.ndarray:
        """Embed uint8 images, N x 224 x 224 x 3."""
        parts = []
        for start in range(0, len(images), batch):
            chunk = torch.from_numpy(images[start : start + batch]).permute(0, 3, 1, 2)
            parts.append(self(chunk.float().div_(127.5).sub_(1.0)).numpy())
        return np.concatenate(parts)


def whole_view(image: Image.Image, size: int = TEACHER_SIZE) -> np.ndarray:
    """Shortest side to `size`, centre crop: the same view the student's preprocessing takes."""
    scale = size / min(image.size)
    width, height = (max(size, round(side * scale)) for side in image.size)
    resized = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(resized.crop((left, top, left + size, top + size)))


def embed_whole(teacher: Teacher, images: Iterable[Image.Image]) -> np.ndarray:
    """Teacher vectors of whole images, one row each."""
    rows: list[np.ndarray] = []
    views: list[np.ndarray] = []
    for image in images:
        views.append(whole_view(image))
        if len(views) == 32:
            rows.append(teacher.embed_arrays(np.stack(views)))
            views = []
    if views:
        rows.append(teacher.embed_arrays(np.stack(views)))
    return np.concatenate(rows)
