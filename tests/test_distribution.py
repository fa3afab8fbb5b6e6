"""What is published: built, looked at as a package index does, installed and tried."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy
import pytest

from tests.documents import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="there is no source tree"),
]

TRY = """
import numpy as np
import pandas as pd

import monitor

assert monitor.__file__.startswith({prefix!r}), monitor.__file__
photo = monitor.ImageEmbedding(name="a", source_column="i", column="v", model="compact")
pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
table = monitor.embed(pd.DataFrame({{"i": list(pixels)}}), photo)
assert table["v_failure"].isna().all()
"""


def run(*words: object, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation: the build's own requirements are here, and no index is asked.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


def test_a_package_index_takes_and_renders_it(built: Path) -> None:
    shown = run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())
    assert shown.count("PASSED") == 2


def test_it_holds_what_the_package_needs_and_no_more(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    [source] = built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "monitor").rglob("*")}
    shipped = {name for name in shipped if (ROOT / name).is_file() and "__pycache__" not in name}
    assert {name for name in names if name.startswith("monitor/")} == shipped
    assert not [name for name in names if not name.startswith(("monitor/", "embedding_monitor-"))]
    with tarfile.open(source) as archive_of_source:
        paths = {name.partition("/")[2] for name in archive_of_source.getnames()}
    assert {"README.md", "CHANGELOG.md", "docs/config.md", "tests/test_readme.py"} <= paths


def test_it_runs_where_it_is_installed(built: Path, tmp_path: Path) -> None:
    """In an environment of its own, which borrows the dependencies from this one."""
    home = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", home)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    [wheel] = built.glob("*.whl")
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index",
        "--no-compile", "--disable-pip-version-check", wheel,
    )  # fmt: skip
    own = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip()
    )
    # After its own packages, so that the wheel is what is imported.
    (own / "borrowed.pth").write_text(f"{Path(numpy.__file__).parents[1]}\n", encoding="utf-8")
    command = python.with_name("monitor")
    assert run(command, "--version").startswith("monitor, version ")
    assert "wrote monitor.yaml" in run(command, "init", cwd=tmp_path)
    run(python, "-c", TRY.format(prefix=str(own)), cwd=tmp_path)
