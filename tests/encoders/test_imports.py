"""What is loaded on the way to the first vector, and what is not."""

from __future__ import annotations

import subprocess
import sys

from monitor.encoders.imports import bring_text_towers, import_lightly, open_clip

from .tiny import VIT, write_model


def test_the_first_vector_needs_neither_the_compiler_nor_transformers_nor_statistics(tmp_path):
    """In a process of its own; and the root logger, on which pytest has handlers, is left alone."""
    model = write_model(tmp_path / "vit", VIT)
    code = (
        "import sys, pandas as pd, monitor; from PIL import Image\n"
        "space = monitor.ImageSpace('i', model='compact')\n"
        "feature = monitor.ImageEmbedding(name='a', source_column='i', column='v', space=space)\n"
        "rows = pd.DataFrame({'i': [Image.new('RGB', (64, 64))]})\n"
        "assert len(monitor.embed(rows, feature, progress=False)['v'][0]) == 256\n"
        "heavy = {'torch._dynamo', 'transformers', 'sympy', 'scipy', 'sklearn', 'sqlalchemy'}\n"
        "heavy |= {'huggingface_hub', 'timm.models.vision_transformer', 'torchvision.models.resnet'}\n"
        "print(*heavy & set(sys.modules))\n"
        "import logging; from monitor.encoders import EncoderSpec, load_encoder\n"
        f"spec = EncoderSpec(handler='open_clip', model='local-dir:{model}')\n"
        "load_encoder(spec).encode_texts(['a'])\n"
        "print(logging.getLogger().handlers, logging.getLogger().filters)\n"
        "import timm, torchvision\n"
        "assert timm.create_model('vit_tiny_patch16_224', num_classes=3).num_classes == 3\n"
        "assert 'timm.models.beit' not in sys.modules\n"
        "assert timm.is_model('beit_base_patch16_224') and timm.models.beit.Beit\n"
        "assert timm.create_model('resnet10t', num_classes=3) and timm.data.create_transform\n"
        "assert torchvision.models.resnet.resnet18 is torchvision.models.resnet18"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, logging = done.stdout.splitlines()
    assert heavy == ""
    assert (logging, done.stderr) == ("[] []", "")


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
