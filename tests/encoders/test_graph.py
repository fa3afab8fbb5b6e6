"""The graph of a tower makes the tower's numbers, and where it would not, the tower runs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monitor.encoders import load_encoder
from monitor.encoders.graph import GraphTower
from monitor.encoders.spec import EncoderSpec


class CountsPictures(nn.Module):
    """What it makes of a picture depends on how many there are, which a graph would take for a constant."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.flatten(1) * sum(1 for _ in pictures)


class LooksAtNumbers(nn.Module):
    """Cannot be followed: it leaves PyTorch."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if pictures.requires_grad or torch.jit.is_tracing():
            raise RuntimeError("not to be followed")
        return pictures.flatten(1)


def made(tower: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = tower(pictures)
    return result


@pytest.mark.parametrize("tower", [CountsPictures(), LooksAtNumbers()], ids=["counts", "raises"])
def test_a_tower_without_a_faithful_graph_runs_itself(tower: nn.Module) -> None:
    pictures = torch.rand(9, 3, 4, 4)
    graph = GraphTower(tower.eval())
    for n in (9, 8, 1):
        assert torch.equal(made(graph, pictures[:n]), made(tower, pictures[:n]))
    assert graph._runs == [tower]


def test_the_compact_models_graph_makes_the_towers_numbers_to_the_bit() -> None:
    encoder = load_encoder(EncoderSpec(handler="open_clip", model="compact"))
    visual = encoder._model.visual  # type: ignore[attr-defined]
    pictures = torch.rand(33, 3, 128, 128).contiguous(memory_format=torch.channels_last)
    for n in (32, 8, 33):
        assert torch.equal(made(visual, pictures[:n]), made(visual.tower, pictures[:n]))
    assert isinstance(visual._runs[0], torch.jit.ScriptModule)
