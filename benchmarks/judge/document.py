"""Tables ─► docs/benchmarks.md, between the marks of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
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


def run_or_fill(
    about: str | None,
    name: str,
    run: Callable[[Path, int], None],
    table: Callable[[Path], str],
    repeats: tuple[str, int],
) -> None:
    """The command of a benchmark: run what has no result yet, or write the table called `name`.

    Parameters
    ----------
    about
        What `--help` says first.
    run, table
        Take the folder of the results, and `run` how many there should be of each.
    repeats
        What the option for that is called, and its default.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        f"--{repeats[0]}", dest="repeats", type=int, metavar="N", default=repeats[1]
    )
    options = parser.parse_args()
    if options.what == "run":
        run(options.work, options.repeats)
        return
    text = table(options.work)
    print(text)
    fill(name, text)
