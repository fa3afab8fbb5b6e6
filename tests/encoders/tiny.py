"""Tiny models with random weights, written to disk on purpose: loading them is what is tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from monitor.encoders import Encoder, EncoderSpec, load_encoder, registry
from monitor.encoders.imports import open_clip

TEXT = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
VIT = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": TEXT,
}
RESNET = {
    "embed_dim": 40,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
    "text_cfg": TEXT,
}
ARCHITECTURES: dict[str, dict[str, Any]] = {"vit": VIT, "resnet": RESNET}
# Not open_clip's defaults, so that ignoring them shows.
PREPROCESS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25], "interpolation": "bilinear"}


def write_model(folder: Path, architecture: dict[str, Any], seed: int = 0) -> Path:
    """A folder with the config and random weights of `architecture`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": architecture, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(random_state(architecture, seed), folder / "open_clip_model.safetensors")
    return folder


def random_state(architecture: dict[str, Any], seed: int) -> dict[str, torch.Tensor]:
    """The weights of a freshly made model, with batch norms as if they had been trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**json.loads(json.dumps(architecture)))
        state = model.state_dict()
        for name, tensor in state.items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
    return {name: tensor.contiguous() for name, tensor in state.items()}


def fresh(spec: EncoderSpec) -> Encoder:
    """`spec` loaded anew, past the cache of the process."""
    registry._loaded.pop(spec, None)
    return load_encoder(spec)
