"""`monitor embed`: images become vectors, in tables of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.findings import CURES
from monitor.cli.options import config_option, feature_option, output_options
from monitor.cli.root import FAILED
from monitor.cli.terminal import Terminal, counted

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
@click.option(
    "--force",
    is_flag=True,
    help="Fetch and embed again what was embedded before. The same bytes keep their vector.",
)
@click.option(
    "--retry-failed",
    "retry",
    is_flag=False,
    flag_value="transient",
    type=click.Choice(["transient", "all"]),
    help="Of files that were embedded before, try rows without a vector again: those that failed by "
    "the network or their server (transient, the default), or all.",
)
@output_options
@click.pass_context
def embed(
    ctx: click.Context,
    config_path: Path,
    feature_names: tuple[str, ...],
    source: Path | None,
    target: Path | None,
    force: bool,
    retry: str | None,
) -> None:
    """Turn the images of the data into vectors.

    They go into tables in the output folder, with a list of the rows without a vector beside each
    (FILE.failures.csv); the data files stay as they are.

    Files that were embedded before, by the same model and from the same rows, are left as they are.
    When it is interrupted or killed, run it again: it continues where it stopped.
    """
    if (source is None) != (target is None):
        raise click.UsageError("--input and --output go together")
    if force and retry is not None:
        raise click.UsageError("--force embeds every row again: leave --retry-failed out")
    from monitor.cli.project import Project

    terminal = ctx.ensure_object(Terminal)
    project = Project.open(config_path, terminal)
    # After the config, so that what is wrong with it is said without seconds of imports.
    from monitor.cli.embedded import PARTS, Redo, prepare_file, prepare_part
    from monitor.cli.tables import one_file

    features = _embedded_features(project, feature_names)
    redo = Redo(force, retry)
    prepared: Iterable[Prepared]
    if source is not None and target is not None:
        _check_target(source, target)
        file = one_file(project.config, source)
        whole = prepare_file(project, file, target, features, redo=redo)
        prepared = [_with_vectors(whole)]
    else:
        parts = (prepare_part(project, part, features, redo) for part in PARTS)
        prepared = chain.from_iterable(parts)
    # One at a time, as each takes its time.
    files = [_document(file) for file in prepared]
    empty = _columns_without_vectors(files)
    lines = [*[line for file in files for line in _lines(file)], *_hint(files)]
    if not empty and source is None:
        after = "drift" if project.baseline_path(features[0]).is_file() else "baseline fit"
        lines.append(f"next: {project.command(after)}")
    terminal.result({"files": files}, lines)
    if empty:
        terminal.say(f"error: no row has a vector in {', '.join(empty)}: see why above")
        ctx.exit(FAILED)


def _embedded_features(project: Project, names: Sequence[str]) -> tuple[Monitored, ...]:
    from monitor.errors import ConfigError

    features = project.features(names)
    embedded = tuple(feature for feature in features if feature.origin.is_embedded)
    if not embedded:
        raise ConfigError(
            f"{', '.join(f.name for f in features)}: no feature is made from images, so "
            f"there is nothing to embed: go on with `{project.command('baseline fit')}`"
        )
    return embedded


def _check_target(source: Path, target: Path) -> None:
    from monitor.errors import InvalidInputError

    # Now, not after an hour of embedding.
    if target.suffix.lower() not in {".parquet", ".pq"}:
        raise InvalidInputError(f"--output {target}: vectors are written to .parquet files only")
    if source.resolve() == target.resolve():
        raise InvalidInputError(f"--output {target} is the input: name another file")


def _with_vectors(file: Prepared) -> Prepared:
    from monitor.errors import InvalidInputError

    if file.target is None:
        raise InvalidInputError(
            f"{file.source} brings the vectors already, so nothing was written: leave their column "
            "out of it to have them made again"
        )
    return file


def _document(file: Prepared) -> dict[str, Any]:
    failures = {feature.origin.column: file.failures(feature) for feature in file.features}
    return {
        "input": str(file.source),
        "output": file.target,
        "n_rows": file.n_rows,
        "n_columns_embedded": file.n_new,
        "n_rows_retried": file.n_retried,
        "failures": {
            column: {
                reason: {"n_rows": count, "example": example}
                for reason, (count, example) in reasons.items()
            }
            for column, reasons in failures.items()
        },
    }


def _lines(file: dict[str, Any]) -> list[str]:
    rows = counted(file["n_rows"], "row")
    if file["output"] is None:
        return [f"{file['input']}: {rows}, brings its vectors"]
    state = "wrote" if file["n_columns_embedded"] or file["n_rows_retried"] else "kept "
    retried = f", {file['n_rows_retried']:,} tried again" if file["n_rows_retried"] else ""
    lines = [f"{state} {file['output']}: {rows}{retried}"]
    for column, reasons in file["failures"].items():
        for reason, failed in reasons.items():
            cure = f" ({CURES[reason]})" if reason in CURES else ""
            lines.append(
                f"  {column}: {counted(failed['n_rows'], 'row')} without vector: {reason}, "
                f"such as {failed['example']}{cure}"
            )
    return lines


def _columns_without_vectors(files: Sequence[dict[str, Any]]) -> list[str]:
    """Columns in which all rows of all files failed."""
    made = [file for file in files if file["output"] is not None and file["n_rows"]]
    columns = dict.fromkeys(column for file in made for column in file["failures"])
    return [
        repr(column)
        for column in columns
        if all(
            sum(rows["n_rows"] for rows in file["failures"].get(column, {}).values())
            == file["n_rows"]
            for file in made
        )
    ]


def _hint(files: Sequence[dict[str, Any]]) -> list[str]:
    if any(any(file["failures"].values()) and not file["n_rows_retried"] for file in files):
        what = "those that failed by the network or their server; --retry-failed=all: every one"
        return [f"--retry-failed tries rows again: {what}"]
    return []
