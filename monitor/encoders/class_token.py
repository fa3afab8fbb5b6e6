"""The last block of a vision transformer, for the one token that becomes the vector.

CLIP's vector is made of the class token alone. In the last block the others still serve as keys and
values; what they would become themselves is never read. Left out, a twelfth of ViT-B's work is nearly gone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from monitor.encoders.imports import open_clip


class _LastBlock(nn.Module):
    """open_clip's residual attention block, whose output is its first token's alone."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: torch.Tensor, attn_mask: torch.Tensor | None = None) -> torch.Tensor:
        """(n, 1, width) of `x`, (n, tokens, width)."""
        block = self.block
        normed = block.ln_1(x)
        mask = None if attn_mask is None else attn_mask[..., :1, :]
        first = x[:, :1] + block.ls_1(block.attention(normed[:, :1], normed, normed, mask))
        result: torch.Tensor = first + block.ls_2(block.mlp(block.ln_2(first)))
        return result


def keep_class_token(tower: Any) -> bool:
    """Let the last block of `tower` make the class token alone; whether that could be done.

    Only where open_clip's own classes leave no doubt that no other token is read afterwards.

    Parameters
    ----------
    tower
        An image tower of open_clip, changed in place.

    Examples
    --------
    >>> keep_class_token(nn.Identity())
    False
    """
    transformer = open_clip.transformer
    reads_all = type(tower) is not transformer.VisionTransformer or (
        tower.attn_pool is not None or tower.pool_type != "tok" or tower.output_tokens
    )
    if reads_all or not tower.transformer.batch_first:
        return False
    blocks = tower.transformer.resblocks
    if len(blocks) == 0 or type(blocks[-1]) is not transformer.ResidualAttentionBlock:
        return False
    blocks[-1] = _LastBlock(blocks[-1]).eval()
    return True
