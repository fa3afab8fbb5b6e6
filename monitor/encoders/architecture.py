"""What open_clip knows about an architecture, read from its files without importing torch."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from monitor.encoders.spec import COMPACT, CONFIG_FILE, WEIGHTS_FILE
from monitor.errors import ModelNotFoundError, close_names

COMPACT_DIR: Final = Path(__file__).parent / "compact"


def architecture_config(
    model: str, cache_dir: str | None = None, revision: str | None = None
) -> dict[str, Any]:
    """The architecture of an open_clip `model`: its ``embed_dim``, ``vision_cfg``, ``text_cfg``.

    Raises
    ------
    ModelNotFoundError
        If there is no such architecture or directory, or its config is not here.

    Examples
    --------
    >>> architecture_config("ViT-B-32")["embed_dim"]
    512
    """
    scheme, _, place = model.partition(":")
    if model == COMPACT:
        return _in_directory(COMPACT_DIR, model)
    if scheme == "local-dir":
        return _in_directory(Path(place), model)
    if scheme == "hf-hub":
        # The hub's client is slow to import and only this case needs it.
        from monitor.encoders.weights import hub_file

        return _model_cfg(hub_file(place, (CONFIG_FILE,), cache_dir, revision), model)
    names = known_architectures()
    # open_clip accepts "ViT-B/32" for "ViT-B-32".
    path = names.get(model.replace("/", "-"))
    if path is None:
        raise ModelNotFoundError(unknown_architecture(model))
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return config


def unknown_architecture(model: str) -> str:
    """The message for an architecture that open_clip does not have.

    Examples
    --------
    >>> unknown_architecture("VIT-B-32")
    "open_clip has no architecture 'VIT-B-32'; close names: ViT-B-32, ..."
    """
    close = close_names(model.replace("/", "-"), known_architectures(), at_most=4)
    hint = f"close names: {', '.join(close)}" if close else "no name is close"
    return (
        f"open_clip has no architecture {model!r}; {hint}. Allowed: a name from "
        "open_clip.list_models(), 'hf-hub:org/repo', 'local-dir:/path' or 'compact'"
    )


@cache
def known_architectures() -> dict[str, Path]:
    """Each architecture that open_clip ships, and the file that describes it.

    Examples
    --------
    >>> "RN50" in known_architectures()
    True
    """
    package = find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        raise ModelNotFoundError("open_clip is not installed: pip install open_clip_torch")
    folder = Path(package.submodule_search_locations[0]) / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def _in_directory(folder: Path, model: str) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ModelNotFoundError(
            f"the model {model!r} needs the files {CONFIG_FILE} and {WEIGHTS_FILE} in {folder}, "
            f"but {'there is no such folder' if not folder.is_dir() else CONFIG_FILE + ' is not there'}; "
            "put them there or name another model"
        )
    return _model_cfg(path, model)


def _model_cfg(path: Path, model: str) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        inner: dict[str, Any] = config["model_cfg"]
        int(inner["embed_dim"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelNotFoundError(
            f"{path} does not describe the model {model!r} ({error!r}); it must be JSON with "
            "'model_cfg' holding embed_dim, vision_cfg and text_cfg, as open_clip writes it"
        ) from error
    return inner
