"""Towers with less work give what the plain ones give, and what needs its work keeps it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from monitor.encoders.class_token import keep_class_token
from monitor.encoders.folding import fold_batch_norms
from monitor.encoders.imports import open_clip

from .tiny import RESNET, VIT, random_state


def settled(module: nn.Module) -> nn.Module:
    """In evaluation mode, with statistics as if it had been trained."""
    generator = torch.Generator().manual_seed(3)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
    return module.eval()


class Branching(nn.Module):
    """The convolution's output goes to the normalization and past it."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.convolution(x)
        return self.norm(y) + y


class Backwards(nn.Module):
    """Defined in one order, run in the other."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(self.norm(x))


def open_clips(architecture: dict[str, Any] = RESNET) -> nn.Module:
    model = open_clip.CLIP(**architecture)
    model.load_state_dict(random_state(architecture, 0))
    return model.visual.eval()


def timms() -> nn.Module:
    import timm

    # The same weights in whatever order tests run: of some that chance draws float32 loses a digit more.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return settled(timm.create_model("mobilenetv4_conv_small", num_classes=8))


@pytest.mark.parametrize(
    ("make", "n_folded"),
    [(open_clips, 19), (timms, 46)],
    ids=["open_clip", "timm"],
)
def test_the_same_output(make: object, n_folded: int) -> None:
    tower = make()  # type: ignore[operator]
    x = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = tower(x)
        assert fold_batch_norms(tower, x[:1]) == n_folded
        after = tower(x)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in tower.modules())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [Branching, Backwards])
def test_left_as_it_was(make: type[nn.Module]) -> None:
    tower = settled(make())
    state = copy.deepcopy(tower.state_dict())
    x = torch.randn((2, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = tower(x)
        assert fold_batch_norms(tower, x) == 0
        assert torch.equal(tower(x), before)
    assert all(torch.equal(value, state[name]) for name, value in tower.state_dict().items())


def test_class_token_alone() -> None:
    tower = open_clips(VIT)
    x = torch.randn((3, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = tower(x)
        assert keep_class_token(tower)
        torch.testing.assert_close(tower(x), before, rtol=1e-5, atol=1e-6)


def test_other_tokens_that_are_read_are_kept() -> None:
    averaged = VIT | {"vision_cfg": VIT["vision_cfg"] | {"pool_type": "avg"}}
    assert not keep_class_token(open_clips(averaged))
    assert not keep_class_token(open_clips(RESNET))
