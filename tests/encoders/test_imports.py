"""What is loaded on the way to the first vector, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from monitor.encoders.imports import bring_text_towers, import_lightly, open_clip

from .tiny import VIT, write_model

FIRST = """
import sys
import numpy as np, pandas as pd, monitor
from PIL import Image
space = monitor.ImageSpace({"blob": "image", "description": "text"}, model="compact")
photos = monitor.ImageEmbedding(name="photos", source_column="image", column="v", space=space)
rows = pd.DataFrame({"image": [Image.new("RGB", (64, 64))], "text": [None]})
assert len(monitor.embed(rows, photos, progress=False)["v"][0]) == 256
heavy = {"torch._dynamo", "transformers", "sympy", "scipy", "sklearn", "sqlalchemy"}
heavy |= {"huggingface_hub", "timm.models.vision_transformer", "torchvision.models.resnet"}
print(*heavy & set(sys.modules))
"""
LOGGING = """
import logging
from monitor.encoders import EncoderSpec, load_encoder
load_encoder(EncoderSpec(handler="open_clip", model=f"local-dir:{sys.argv[1]}")).encode_texts(["a"])
print(logging.getLogger().handlers, logging.getLogger().filters)
"""
FORKS = """
import multiprocessing, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of what is tried here
rng = np.random.default_rng(0)
cells = list(rng.integers(0, 255, (16, 64, 64, 3), dtype=np.uint8))
images = pd.DataFrame({"image": pd.Series(cells, dtype=object), "text": ["a cat"] * 16})
points = monitor.VectorFeature(name="points", column="v", n_clusters=3)
table = pd.DataFrame({"v": list(rng.normal(size=(2000, 16)).astype(np.float32))})

def embed():
    return np.stack(monitor.embed(images, photos, progress=False)["v"].to_list())

def fit():
    return monitor.fit_baseline(table, points).id

for work in (fit, embed):
    here = work()
    pool = multiprocessing.get_context("fork").Pool(1)
    there = pool.apply(work)
    pool.terminate()
    if work is fit:
        assert here == there, "another number of threads gives another baseline"
    else:
        np.testing.assert_allclose(here, there, atol=1e-5)
print("the same")
"""
TIMM = """
import timm, torchvision
assert timm.create_model("vit_tiny_patch16_224", num_classes=3).num_classes == 3
assert "timm.models.beit" not in sys.modules
assert timm.is_model("beit_base_patch16_224") and timm.models.beit.Beit
assert timm.create_model("resnet10t", num_classes=3) and timm.data.create_transform
assert torchvision.models.resnet.resnet18 is torchvision.models.resnet18
print("whole")
"""
CAN_FORK = hasattr(os, "fork") and (os.cpu_count() or 1) > 1


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """One process from nothing to what is asked below: to load torch takes seconds, and each would."""
    model = write_model(tmp_path_factory.mktemp("fresh") / "vit", VIT)
    code = FIRST + LOGGING + (FORKS if CAN_FORK else "print()\n") + TIMM
    # Without threads of OpenMP in the parent no fork could go wrong; they need not spin. The time bounds a
    # hang.
    return subprocess.run(
        [sys.executable, "-c", code, str(model)],
        env=os.environ | {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_the_first_vector_needs_neither_the_compiler_nor_transformers_nor_statistics(fresh):
    assert fresh.stdout.splitlines()[0] == "", fresh.stderr


def test_the_root_logger_on_which_pytest_has_handlers_is_left_alone(fresh):
    assert fresh.stdout.splitlines()[1] == "[] []", fresh.stderr


@pytest.mark.skipif(not CAN_FORK, reason="nothing forks here, or one core has no threads to lose")
def test_a_process_forked_after_the_parent_has_embedded_and_fitted_does_both(fresh):
    """As gunicorn and Celery fork."""
    assert fresh.stdout.splitlines()[2] == "the same", fresh.stderr


def test_the_rest_of_timm_and_torchvision_is_there_when_somebody_asks(fresh):
    assert fresh.stdout.splitlines()[3] == "whole", fresh.stderr
    assert (fresh.returncode, fresh.stderr) == (0, "")


def test_what_was_kept_away_works_when_it_is_called():
    from timm.models.naflexvit import NaFlexRopeIterator
    from torchvision.ops.roi_align import is_compile_supported

    bring_text_towers()
    text_tower = open_clip.model.HFTextEncoder
    assert text_tower.__init__.__globals__["transformers"].__name__ == "transformers"
    assert is_compile_supported("cpu") in (True, False)
    ended = NaFlexRopeIterator.__new__(NaFlexRopeIterator)
    ended._depth_idx, ended.depth = 1, 1
    assert next(ended, "end") == "end"
    assert NaFlexRopeIterator.__next__.__name__ == "__next__"


def test_a_release_that_needs_more_is_imported_as_ever(tmp_path, monkeypatch):
    (tmp_path / "needs_all.py").write_text(
        "import sys\nif 'transformers' in sys.modules: raise ImportError\nhas_all = True"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "transformers", raising=False)
    assert import_lightly("needs_all").has_all
    assert "transformers" not in sys.modules
