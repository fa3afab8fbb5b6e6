"""What to hand to open_clip so that it finds a model's weights on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.encoders.architecture import COMPACT_DIR, architecture_config
from monitor.encoders.imports import open_clip
from monitor.encoders.spec import COMPACT, WEIGHTS_FILE, EncoderSpec, is_self_contained
from monitor.errors import MissingWeightsError, ModelNotFoundError

# What open_clip looks for in a folder, by the names it may have.
_WEIGHT_SUFFIXES: Final = (".safetensors", ".bin", ".pth")


@dataclass(frozen=True)
class Checkpoint:
    """What to hand to open_clip so that it finds everything on this machine."""

    model: str
    pretrained: str | None = None
    # What a tag says of its preprocessing; a checkpoint's path alone would lose it.
    preprocess: tuple[tuple[str, Any], ...] = ()


def find_checkpoint(spec: EncoderSpec) -> Checkpoint:
    """Where the weights of `spec` are on this machine; fetches those of the hub."""
    if is_self_contained(spec.model):
        return Checkpoint(f"local-dir:{_folder(spec)}")
    architecture_config(spec.model)  # an unknown architecture is the first thing to say
    name = spec.model.replace("/", "-")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if spec.pretrained is None:
        raise MissingWeightsError(
            f"the model {spec.model!r} needs weights, or its vectors would be random; pass "
            f"pretrained= one of: {', '.join(tags) or '(open_clip knows no tag for it)'}; or the "
            "path of a checkpoint; or use model='compact', which brings its own"
        )
    tag: dict[str, Any] = open_clip.get_pretrained_cfg(name, spec.pretrained)
    if not tag:
        return Checkpoint(name, str(_checkpoint(spec.pretrained, name, tags)))
    from monitor.encoders.weights import hub_checkpoint  # the hub's client is slow to import

    repo, _, filename = tag["hf_hub"].rpartition("/")
    path = hub_checkpoint(repo, filename, spec.model_cache_dir, spec.revision)
    _warn_of_activation(name, spec.pretrained, tag)
    wanted = {
        "image_mean": tag.get("mean"),
        "image_std": tag.get("std"),
        "image_interpolation": tag.get("interpolation"),
        "image_resize_mode": tag.get("resize_mode"),
    }
    return Checkpoint(name, str(path), tuple(wanted.items()))


def _folder(spec: EncoderSpec) -> Path:
    """The folder with config and weights of a model that brings its own."""
    scheme, _, place = spec.model.partition(":")
    if scheme == "hf-hub":
        from monitor.encoders.weights import hub_snapshot

        return hub_snapshot(place, spec.model_cache_dir, spec.revision)
    folder = COMPACT_DIR if spec.model == COMPACT else Path(place)
    architecture_config(spec.model)
    if not any(path.suffix in _WEIGHT_SUFFIXES for path in folder.iterdir()):
        raise ModelNotFoundError(
            f"{folder} holds the config of the model {spec.model!r} but no weights; "
            f"put {WEIGHTS_FILE} there"
        )
    return folder


def _checkpoint(pretrained: str, name: str, tags: Sequence[str]) -> Path:
    path = Path(pretrained).expanduser()
    if path.is_file():
        return path
    raise ModelNotFoundError(
        f"pretrained={pretrained!r} is neither a file on this machine nor a tag that open_clip "
        f"knows for {name!r}; its tags: {', '.join(tags) or 'none'}"
    )


def _warn_of_activation(name: str, pretrained: str, tag: dict[str, Any]) -> None:
    """Say, as open_clip does, that the weights were trained with another activation."""
    quick = bool(tag.get("quick_gelu", False))
    if quick != bool(architecture_config(name).get("quick_gelu", False)):
        better = f"{name}-quickgelu" if quick else name.removesuffix("-quickgelu")
        warnings.warn(
            f"the weights {pretrained!r} were trained with {'QuickGELU' if quick else 'GELU'}, "
            f"which {name!r} does not use: its vectors are worse; use model={better!r}",
            UserWarning,
            stacklevel=2,
        )
