"""What an encoder is, who can load one, and the encoders this process has loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from monitor.encoders.spec import EncoderSpec, ModelHandler
from monitor.errors import EncoderError, InvalidSpaceParamError, PluginError
from monitor.registry import Registry, must_be_callable

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image


@runtime_checkable
class Encoder(Protocol):
    """A loaded model: images and texts in, unit vectors out.

    Every encoder gives float32 rows of norm 1, one per input and in the order of the inputs; no
    input gives shape (0, width). The batch an image arrives in does not change its vector beyond
    rounding.

    Attributes
    ----------
    spec
        The description that it was loaded from.
    width
        The number of components of each vector.
    fingerprint
        ``"<architecture>:<hex>"``: the same for the same architecture, weights, preprocessing and
        precision, on any machine and device; different when one of them differs.

    Raises
    ------
    EncoderError
        By the ``encode_`` methods, when the model gives NaN, infinity or a vector without length.
    """

    @property
    def spec(self) -> EncoderSpec: ...

    @property
    def width(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """What the model's own preprocessing does to one image; safe to call from many threads."""
        ...

    def encode_batch(self, tensors: Sequence[torch.Tensor] | torch.Tensor) -> NDArray[np.float32]:
        """Unit vectors, shape (n, width), of images that `preprocess` prepared, in one batch."""
        ...

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit vectors, shape (n, width), of `images`, in batches of ``spec.batch_size``."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (n, width), of `texts`, in the same space as the images'."""
        ...


Loader = Callable[[EncoderSpec], Encoder]

# The built-in handlers' modules import torch, so they are named here and imported on first use.
handlers: Final = Registry[Loader](
    "monitor.encoders",
    "model handler",
    {
        ModelHandler.OPEN_CLIP.value: "monitor.encoders.open_clip:load",
        ModelHandler.SENTENCE_TRANSFORMERS.value: "monitor.encoders.sentence_transformers:load",
    },
    must_be_callable,
)
"""Who loads models, by name; see `register_handler`."""
_loaded: dict[EncoderSpec, Encoder] = {}
_lock = threading.RLock()


def register_handler(name: str, loader: Loader) -> None:
    """Let ``loader(spec)`` load the encoders whose spec names the handler `name`.

    This is how a program plugs in a remote model; an installed plug-in does it by an entry point of the
    group `monitor.encoders`. The loader returns anything with the attributes and
    methods of `Encoder`. A later registration replaces an earlier one; encoders that are already
    loaded stay.

    Parameters
    ----------
    name
        ``"modal"``, or a name of your own. The built-in handlers cannot be replaced.
    loader
        Called once per spec and process.

    Raises
    ------
    InvalidSpaceParamError
        If `name` is blank or belongs to a built-in handler.

    Examples
    --------
    >>> def load(spec):
    ...     raise NotImplementedError
    >>> register_handler("our-gpu-service", load)
    >>> "our-gpu-service" in handlers
    True
    """
    try:
        handlers.register(name, loader)
    except PluginError as error:
        raise InvalidSpaceParamError(str(error)) from error


def require_handler(name: str) -> None:
    """Refuse a handler that nobody knows, and say how to plug one in.

    Raises
    ------
    InvalidSpaceParamError
        If `name` is neither built in nor registered nor brought by a plug-in.

    Examples
    --------
    >>> require_handler("open_clip")
    """
    if name not in handlers:
        raise InvalidSpaceParamError(
            f"the model handler {name!r} is not configured; known here: {', '.join(handlers.names())}. "
            "It comes with a plug-in that is not installed here, or a remote model is "
            "plugged in before it is named: monitor.encoders.register_handler"
            f"({name!r}, loader), where loader(spec) returns an Encoder"
        )


def load_encoder(spec: EncoderSpec) -> Encoder:
    """The encoder that `spec` describes, loaded once per process.

    Safe to call from many threads: a second caller waits for the first and gets the same encoder.
    Weights that change on disk afterwards are not seen until the process starts again.

    Raises
    ------
    ModelNotFoundError
        If the architecture is unknown, or the weights are not here and cannot be fetched.
    MissingWeightsError
        If `spec` names an architecture without weights.
    MissingExtraError
        If the handler needs a package that is not installed.
    InvalidSpaceParamError
        If nobody has registered the handler.
    EncoderError
        If the weights do not fit the architecture, the device is not there, the encoder has another
        fingerprint than the pinned one, or a registered loader gives something else than an encoder.

    Examples
    --------
    >>> spec = EncoderSpec(handler="open_clip", model="ViT-B-32")
    >>> load_encoder(spec)
    Traceback (most recent call last):
    ...
    monitor.errors.MissingWeightsError: the model 'ViT-B-32' needs weights...
    """
    with _lock:
        if spec not in _loaded:
            require_handler(spec.handler)
            encoder = handlers[spec.handler](spec)
            if not isinstance(encoder, Encoder):
                raise EncoderError(
                    f"the handler {spec.handler!r} gave a {type(encoder).__name__}, which is no "
                    "Encoder; it needs spec, width, fingerprint, preprocess, encode_batch, "
                    "encode_images and encode_texts"
                )
            if spec.fingerprint not in (None, encoder.fingerprint):
                raise EncoderError(
                    f"the model {spec.model!r} has the fingerprint {encoder.fingerprint}, not the pinned "
                    f"{spec.fingerprint}: its weights, preprocessing or precision are others. Restore the "
                    "pinned weights (see revision), or change the pin and fit the baselines again"
                )
            _loaded[spec] = encoder
        return _loaded[spec]
