"""The README's Python runs as it stands, in an empty directory, block after block."""

import os
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_python_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "readme"}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), namespace)
    assert "drift" in capsys.readouterr().out
    assert (tmp_path / "drift.html").stat().st_size > 10_000
    report = namespace["report"]
    assert report.windows[0].n_rows == 600


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (README.parent / target).exists(), target


@pytest.mark.skipif(os.name == "nt", reason="make is not there")
def test_the_two_commands_are_targets_of_the_makefile():
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    for command in ("demo", "test"):
        assert f"make {command}" in TEXT
        assert f"\n{command}:" in makefile
