"""A transformer's image tower with weights of 8 bits, by ONNX Runtime: the extra `onnx`.

Dynamic quantization: the weights of each matrix product become whole numbers of 7 bits, one scale for each
column, and what comes in is scaled by its own range, so that no images are needed for calibration. Seven
bits and not eight, since processors without VNNI add pairs of products in 16 bits, which eight would
overflow (cosine 0.985 instead of 0.9997).
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from monitor.encoders.threads import MOST_SIDE_BY_SIDE
from monitor.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    from monitor.encoders.spec import EncoderSpec

RECIPE: Final = "int8 dynamic 7 bits 1"
"""Stands in the fingerprint; another number means other vectors."""
_OPSET: Final = 17
_PRODUCTS: Final = ("MatMul", "Gemm")


class Int8Tower(torch.nn.Module):
    """In the place of an open_clip model's `visual`: (n, 3, side, side) float32 to (n, width) float32.

    Parameters
    ----------
    tower
        On the CPU, in evaluation mode.
    side
        Height and width of its square pictures.

    Raises
    ------
    MissingExtraError
        If onnx or onnxruntime is not installed.
    """

    def __init__(self, tower: torch.nn.Module, side: int) -> None:
        super().__init__()
        self._session = _session(tower, side)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """The features of `pixels`, not normalized."""
        images = pixels.contiguous().numpy()
        # One by one: a range is that of all that comes in at once, and a vector must not depend on the
        # images beside its own.
        rows = [self._session.run(None, {"pixels": image[None]})[0] for image in images]
        return torch.from_numpy(np.concatenate(rows))


def require_fit(spec: EncoderSpec, tower: torch.nn.Module, device: torch.device) -> None:
    """Refuse what int8 is not for.

    Raises
    ------
    EncoderError
        If the model does not run on the CPU, or its weights are mostly convolutions, which stay float32.
    """
    if device.type != "cpu":
        raise EncoderError(
            f"precision='int8' runs on the CPU, not on {device}: set device='cpu', or "
            "precision='bfloat16' for an accelerator"
        )
    kinds = (torch.nn.Conv1d, torch.nn.Conv2d)
    convolved = {id(layer.weight) for layer in tower.modules() if isinstance(layer, kinds)}
    sizes = {id(weight): weight.numel() for weight in tower.parameters()}
    share = sum(size for key, size in sizes.items() if key in convolved) / sum(sizes.values())
    if share > 0.5:
        raise EncoderError(
            f"precision='int8' is for vision transformers; {spec.model!r} has {share:.0%} of its weights in "
            "convolutions, which would stay float32: use precision='float32'"
        )


def _session(tower: torch.nn.Module, side: int) -> Any:
    try:
        import onnx
        import onnxruntime
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtraError.of(error.name or "onnxruntime", "onnx") from error

    with tempfile.TemporaryDirectory(prefix="monitor-int8-") as folder:
        whole, small = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        with warnings.catch_warnings():
            # The exporter that traces is deprecated; the other one needs two packages more.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                tower,
                (torch.zeros(1, 3, side, side),),
                str(whole),
                dynamo=False,
                opset_version=_OPSET,
                input_names=["pixels"],
                output_names=["features"],
            )
        graph = onnx.load(str(whole))
        # Else it asks for shapes to be inferred beforehand, which are fixed here.
        graph.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
        quantize_dynamic(
            graph,
            str(small),
            op_types_to_quantize=list(_PRODUCTS),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        options = onnxruntime.SessionOptions()
        # Several batches are encoded side by side, each with its share of the threads.
        options.intra_op_num_threads = max(1, torch.get_num_threads() // MOST_SIDE_BY_SIDE)
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(str(small), options, providers=["CPUExecutionProvider"])
