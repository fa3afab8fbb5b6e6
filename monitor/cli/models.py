"""Is a model on this machine? Looked up, never downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from monitor.encoders.architecture import COMPACT_DIR, architecture_config
from monitor.encoders.spec import COMPACT, WEIGHTS_FILE, EncoderSpec, ModelHandler
from monitor.errors import EncoderError, ModelNotFoundError

if TYPE_CHECKING:
    State = Literal["ok", "note", "error"]


def look_for_model(spec: EncoderSpec) -> tuple[State, str]:
    """Whether the model can be loaded without network, and what to know of it.

    Examples
    --------
    >>> look_for_model(EncoderSpec(handler="open_clip", model="ViT-B-33", pretrained="openai"))
    ('error', "open_clip has no architecture 'ViT-B-33'; close names: ...")
    """
    name = " ".join([spec.model, *([spec.pretrained] if spec.pretrained else [])])
    if spec.handler != ModelHandler.OPEN_CLIP:
        return "note", f"{name} is loaded by {spec.handler} at the first `monitor embed`"
    try:
        if spec.model == COMPACT:
            architecture_config(spec.model)
            if not (COMPACT_DIR / WEIGHTS_FILE).is_file():
                return "error", f"{COMPACT_DIR / WEIGHTS_FILE} is not there: install monitor again"
            return "ok", f"{name} comes with monitor"
        with _no_network():
            # Imports torch, which takes seconds; only models of open_clip's list need it.
            from monitor.encoders.checkpoint import find_checkpoint

            find_checkpoint(spec)
    except ModelNotFoundError as error:
        from huggingface_hub import constants

        if _OFFLINE in str(error) and not constants.HF_HUB_OFFLINE:
            return "note", f"{name} is not on this machine; the first `monitor embed` downloads it"
        return "error", str(error)
    except EncoderError as error:
        return "error", str(error)
    return "ok", f"{name} is on this machine"


_OFFLINE = "HF_HUB_OFFLINE is set"


@contextmanager
def _no_network() -> Iterator[None]:
    """Let the hub's client look into its cache only."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
