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
    graph = GraphTower(tower.eval(), torch.sqrt)
    for n in (9, 8, 1):
        assert torch.equal(made(graph, pictures[:n]), made(tower, pictures[:n].sqrt()))
    assert graph._runs == {torch.float32: graph.whole}


def test_the_compact_models_graph_makes_the_towers_numbers_to_the_bit() -> None:
    encoder = load_encoder(EncoderSpec(handler="open_clip", model="compact"))
    visual = encoder._model.visual  # type: ignore[attr-defined]
    pictures = torch.randint(256, (33, 128, 128, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    for n in (32, 8, 33):
        values = encoder.pixel_values(pictures[:n])  # type: ignore[attr-defined]
        assert torch.equal(made(visual, pictures[:n]), made(visual.whole.tower, values))
    assert isinstance(visual._runs[torch.uint8], torch.jit.ScriptModule)
