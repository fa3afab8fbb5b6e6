"""An encoder's fingerprint: which vectors can be compared with which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import torch

# 64 bits: two of a thousand encoders agree by chance with a probability of about 3e-14.
HEX_DIGITS: Final = 16


def weight_hash(state: Mapping[str, torch.Tensor]) -> str:
    """SHA-256, in hex, over the tensors of a model: names in order, types, shapes and bytes.

    Examples
    --------
    >>> digest = weight_hash({"a": torch.ones(2), "b": torch.zeros(1)})
    >>> digest == weight_hash({"b": torch.zeros(1), "a": torch.ones(2)})
    True
    >>> digest == weight_hash({"a": torch.ones(2), "b": torch.ones(1)})
    False
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        raw = tensor.cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(raw.numpy().data)
    return digest.hexdigest()


def fingerprint(architecture: str, *parts: Any) -> str:
    """``"<architecture>:<16 hex digits>"`` over `parts`, which are plain JSON values.

    Examples
    --------
    >>> fingerprint("ViT-B-32", {"embed_dim": 512}, "float32")
    'ViT-B-32:...'
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return f"{architecture}:{hashlib.sha256(text.encode()).hexdigest()[:HEX_DIGITS]}"
