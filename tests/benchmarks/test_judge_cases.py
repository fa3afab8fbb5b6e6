"""A deployment's file, and a judge that reads it in a process of its own."""

import json

import numpy as np
import pytest
from judge.cases import QUIET, Setting, write_case
from judge.methods import METHODS, missing, result_path, run_all
from judge.shifts import VECTOR_SHIFTS
from scipy.spatial.distance import jensenshannon

SETTING = Setting("vectors", 300, 40, n_quiet=2)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(SETTING, 3, tmp_path_factory.mktemp("cases"), cache=None)


def arrays_of(path):
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_a_case_holds_a_baseline_and_windows_of_each_kind(case):
    found = arrays_of(case)
    assert found["baseline"].shape == (300, 512)
    assert found["kinds"].tolist() == [QUIET, QUIET, *VECTOR_SHIFTS]
    assert found["windows"].shape == (6, 40, 512)
    assert found["window_labels"].shape == (6, 40)
    assert set(np.unique(found["baseline_labels"])) <= set(range(int(found["n_clusters"])))


def test_a_deployment_can_be_made_again(case, tmp_path):
    again = arrays_of(write_case(SETTING, 3, tmp_path, cache=None))
    assert all(np.array_equal(again[name], array) for name, array in arrays_of(case).items())
    other = arrays_of(write_case(SETTING, 4, tmp_path, cache=None))
    assert not np.array_equal(other["windows"], again["windows"])


def test_a_judge_scores_every_window_once(case, tmp_path):
    method = METHODS["jsd-fixed"]
    out = result_path(tmp_path, method, SETTING.name, 3)
    job = {"method": method.name, "case": str(case), "out": str(out), "n_default": 0}
    run_all([(method, job)], environments=tmp_path, work=tmp_path)
    result = json.loads(out.read_text())
    arrays = arrays_of(case)
    counts = [np.bincount(arrays["baseline_labels"], minlength=20)]
    counts += [np.bincount(labels, minlength=20) for labels in arrays["window_labels"]]
    expected = [jensenshannon(counts[0], seen, base=2) for seen in counts[1:]]
    assert result["scores"] == pytest.approx(expected)
    assert result["alarms"] == [score > 0.1 for score in expected]
    assert result["kinds"] == arrays["kinds"].tolist()

    written = out.stat().st_mtime_ns
    run_all([(method, job)], environments=tmp_path, work=tmp_path)
    assert out.stat().st_mtime_ns == written


def test_a_tool_that_is_not_there_is_reported(tmp_path):
    assert missing(METHODS["jsd-fixed"], tmp_path) is None
    assert "not installed" in missing(METHODS["frouros-mmd"], tmp_path)
    (tmp_path / "frouros.failed").write_text("no such wheel\n")
    assert missing(METHODS["frouros-mmd"], tmp_path) == "no such wheel"
