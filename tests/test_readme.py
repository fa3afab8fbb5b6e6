"""The README's and the guide's Python runs as it stands, block after block; their links lead somewhere."""

import os
import re

import pytest

from tests.documents import GUIDE, README, ROOT, blocks, repository


@pytest.mark.slow
def test_python_blocks_run_in_order(tmp_path, monkeypatch, capsys, shop):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "readme"}
    for page in GUIDE:
        for block in blocks(page, "python"):
            exec(compile(block, str(page), "exec"), namespace)
    assert "drift" in capsys.readouterr().out
    assert (tmp_path / "drift.html").stat().st_size > 10_000
    report = namespace["report"]
    assert report.windows[0].n_rows == 600


def test_it_is_short():
    assert len(README.read_text(encoding="utf-8").split()) <= 900


def test_its_links_are_whole_addresses_of_files_that_are_there():
    """On a package index there is no folder that a relative link could start from."""
    targets = re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    ours = [target for target in targets if target.startswith(repository())]
    assert not [target for target in targets if "://" not in target]
    assert len(ours) > 10
    for target in ours:
        kind, branch, path = target.removeprefix(repository() + "/").split("/", 2)
        assert (kind, branch) in {("blob", "main"), ("raw", "main")}
        assert (ROOT / path).is_file(), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.skipif(os.name == "nt", reason="make is not there")
def test_the_two_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("demo", "test"):
        assert f"make {command}" in README.read_text(encoding="utf-8")
        assert f"\n{command}:" in makefile


def test_every_extra_is_named():
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    text = README.read_text(encoding="utf-8")
    assert [extra for extra in extras if extra != "dev" and f"[{extra}]" not in text] == []
