"""The README and docs as tests read them: their code, their links."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"
GUIDE: Final = [
    README,
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("command-line", "config", "images", "verdicts", "schedule")
    ),
]
"""What a user reads, in an order in which each page's Python can use what those before made."""


def blocks(path: Path, language: str) -> list[str]:
    """The code of this language in a page."""
    return re.findall(
        rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )


def guide() -> str:
    """The text of all pages."""
    return "\n".join(path.read_text(encoding="utf-8") for path in GUIDE)


def repository() -> str:
    """Where the project lives, as pyproject says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"])
