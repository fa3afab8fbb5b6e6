"""docs/data.md: its Python runs and its configs hold."""

import pytest
import yaml

from monitor.config import MonitoringConfig
from monitor.encoders.architecture import COMPACT_DIR
from monitor.encoders.spec import WEIGHTS_FILE
from tests.documents import ROOT, blocks

PAGE = ROOT / "docs" / "data.md"
VECTOR = {"features": [{"type": "FROM_VECTOR", "name": "x", "column": "x"}]}


@pytest.mark.skipif(
    not (COMPACT_DIR / WEIGHTS_FILE).is_file(), reason="the compact model has no weights here"
)
def test_its_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "data"}
    for block in blocks(PAGE, "python"):
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), namespace)
    assert namespace["judged"].windows[0].n_rows == 30


def test_its_configs_hold():
    assert blocks(PAGE, "yaml")
    for block in blocks(PAGE, "yaml"):
        MonitoringConfig.from_dict(VECTOR | yaml.safe_load(block))
