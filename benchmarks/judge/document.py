"""Tables ─► docs/benchmarks.md, between the marks of each."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
TITLES = {
    "vectors-2000-200": "Fake embeddings, windows of 200 (baseline 2,000)",
    "small-images-2000-200": "Small images, windows of 200 (baseline 2,000)",
    "photos-1000-200": "Photos, windows of 200 (baseline 1,000)",
    "changed-photos-1000-200": "Changed photos, windows of 200 (baseline 1,000)",
    "vectors-2000-50": "Fake embeddings, windows of 50 (baseline 2,000)",
    "vectors-2000-1000": "Fake embeddings, windows of 1,000 (baseline 2,000)",
}
"""Of each setting, in the order of the document."""


def fill(name: str, text: str, path: Path = DOCUMENT) -> None:
    """Put `text` between `<!-- name -->` and `<!-- /name -->` of the document."""
    before, opened, rest = path.read_text().partition(f"<!-- {name} -->")
    _, closed, after = rest.partition(f"<!-- /{name} -->")
    if not (opened and closed):
        raise ValueError(
            f"{path.name} has no place <!-- {name} --> … <!-- /{name} --> for the table"
        )
    path.write_text(f"{before}{opened}\n{text}\n{closed}{after}")
