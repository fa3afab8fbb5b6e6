"""`monitor embed`: images become vectors, in tables of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, feature_option, output_options
from monitor.cli.terminal import Terminal

if TYPE_CHECKING:
    from monitor.cli.embedded import Prepared
    from monitor.cli.project import Monitored, Project


@click.command()
@config_option
@feature_option
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    help="Embed this Parquet or CSV file instead of the config's data.",
)
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="The Parquet file to write for --input.",
)
@click.option("--force", is_flag=True, help="Embed again what was embedded before.")
@output_options
@click.pass_obj
def embed(
    terminal: Terminal,
    config_path: Path,
    feature_names: tuple[str, ...],
    source: Path | None,
    target: Path | None,
    force: bool,
) -> None:
    """Turn the images of the data into vectors.

    They go into tables in the output folder; the data files stay as they are.

    Files that were embedded before, by the same model and from the same rows, are left as they are.
    """
    if (source is None) != (target is None):
        raise click.UsageError("--input and --output go together")
    from monitor.cli.embedded import PARTS, prepare_file, prepare_part
    from monitor.cli.project import Project

    project = Project.open(config_path, terminal)
    features = _image_features(project, feature_names)
    if source is not None and target is not None:
        _refuse_own_output(source, target)
        prepared = [prepare_file(project, source, target, features, force=True)]
    else:
        prepared = [
            one for part in PARTS for one in prepare_part(project, part, features, force=force)
        ]
    after = "drift" if project.baseline_path(features[0]).is_file() else "baseline fit"
    terminal.result(
        {"files": [_document(one) for one in prepared]},
        [
            *[line for one in prepared for line in _lines(one)],
            *_hint(prepared),
            f"next: {project.command(after)}",
        ],
    )


def _image_features(project: Project, names: Sequence[str]) -> tuple[Monitored, ...]:
    from monitor.errors import ConfigError
    from monitor.features import ImageEmbedding

    features = project.features(names)
    images = tuple(feature for feature in features if isinstance(feature, ImageEmbedding))
    if not images:
        raise ConfigError(
            f"{', '.join(f.name for f in features)}: no feature of type FROM_IMAGE_EMBEDDING, so "
            f"there is nothing to embed: go on with `{project.command('baseline fit')}`"
        )
    return images


def _refuse_own_output(source: Path, target: Path) -> None:
    from monitor.errors import InvalidInputError

    if source.resolve() == target.resolve():
        raise InvalidInputError(f"--output {target} is the input: name another file")


def _document(one: Prepared) -> dict[str, Any]:
    return {
        "input": one.source,
        "output": one.target,
        "n_rows": len(one.frame),
        "n_columns_embedded": one.n_new,
        "failures": {column: one.failures(column) for column in one.columns},
    }


def _lines(one: Prepared) -> list[str]:
    from monitor.cli.terminal import counted

    rows = counted(len(one.frame), "row")
    if one.target is None:
        return [f"{one.source}: {rows}, brings its vectors"]
    state = "wrote" if one.n_new else "kept "
    lines = [f"{state} {one.target}: {rows}"]
    for column in one.columns:
        for reason, count in one.failures(column).items():
            detail = one.first_detail(column, reason)
            such_as = f", such as {detail}" if detail else ""
            lines.append(f"  {column}: {counted(count, 'row')} without vector: {reason}{such_as}")
    return lines


def _hint(prepared: Sequence[Prepared]) -> list[str]:
    kept = [one for one in prepared if not one.n_new]
    if any(one.failures(column) for one in kept for column in one.columns):
        return ["--force tries rows without a vector again"]
    return []
