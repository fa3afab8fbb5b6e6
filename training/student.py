"""The student: an open_clip model of our own size, and its export for open_clip's loader."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor

CONFIG_FILE = Path(__file__).with_name("model_config.json")


def read_config() -> dict[str, dict]:
    """Architecture and preprocessing, as open_clip reads them."""
    return json.loads(CONFIG_FILE.read_text(encoding="utf-8"))


def new_student(seed: int) -> open_clip.CLIP:
    """A student initialised from random numbers."""
    torch.manual_seed(seed)
    return open_clip.CLIP(**read_config()["model_cfg"])


def new_tokenizer() -> open_clip.SimpleTokenizer:
    """The stock tokenizer at the student's context length."""
    text = read_config()["model_cfg"]["text_cfg"]
    return open_clip.SimpleTokenizer(context_length=text["context_length"])


def export(state: dict[str, Tensor], seen_tokens: Tensor, folder: Path) -> None:
    """Write config and half-precision weights where `open_clip` finds them as local-dir.

    Embedding rows of tokens that no training caption held are set to zero: they would only be
    the random numbers they started from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, value in state.items():
        plain = value.detach().clone().contiguous()
        if name == "token_embedding.weight":
            plain[~seen_tokens] = 0
        tensors[name] = plain.half() if plain.is_floating_point() else plain
    part = folder / "open_clip_model.safetensors.part"
    save_file(tensors, part, metadata={"format": "pt"})
    part.chmod(0o644)
    part.rename(folder / "open_clip_model.safetensors")
    shutil.copyfile(CONFIG_FILE, folder / "open_clip_config.json")
