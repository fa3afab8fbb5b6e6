"""The cores of a container, by the files that Linux shows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.embedding import cores


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "200000 100000\n"}, 2.0),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "what is this\n"}, None),
        ({}, None),
    ],
)
def test_what_a_container_may_take(
    tmp_path: Path, files: dict[str, str], expected: float | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores.container_cores(tmp_path) == expected


def test_a_container_has_no_more_cores_than_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(64), raising=False)
    assert cores.n_cores() == 64
    (tmp_path / "cpu.max").write_text("400000 100000")
    assert cores.n_cores() == 4
    (tmp_path / "cpu.max").write_text("10000 100000")
    assert cores.n_cores() == 1
