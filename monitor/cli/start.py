"""`monitor init` and `monitor schema`: the config file before there is one."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

import click

from monitor.cli.options import output_options
from monitor.cli.terminal import Terminal


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--force", is_flag=True, help="Replace a monitor.yaml that is there.")
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Write it for this folder of images, so that it runs as it is. Folders in it that are called "
    "baseline, train or reference hold what is normal, production, new or test what is judged; without "
    "such folders all images are both.",
)
@output_options
@click.pass_obj
def init(terminal: Terminal, directory: Path, force: bool, images: Path | None) -> None:
    """Write a monitor.yaml to start from.

    It goes into DIRECTORY, by default this one, and says in comments what can be set.
    """
    from monitor.config.template import template
    from monitor.errors import ConfigError

    target = directory / "monitor.yaml"
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already: --force replaces it")
    directory.mkdir(parents=True, exist_ok=True)
    text = template() if images is None else _for_images(images, directory)
    target.write_text(text, encoding="utf-8")
    named = "" if directory == Path() else f" --config {quote(str(target))}"
    terminal.result(
        {"config": target},
        [
            f"wrote {target}",
            "next: " + ("" if images else "name your columns and files in it, then ") + "run",
            f"  monitor check{named}",
        ],
    )


def _for_images(folder: Path, directory: Path) -> str:
    """The config in `directory` for the images in `folder`."""
    from monitor.config.template import images_template
    from monitor.sources import ImageFiles, ImageTime

    inside = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    parts = [
        next((inside[name] for name in names if name in inside), folder)
        for names in (("baseline", "train", "reference"), ("production", "new", "test"))
    ]
    timestamp = "mtime"
    places: tuple[ImageTime, ...] = ("path", "exif")
    for place in places:
        # A date in a few of the paths is chance.
        table = ImageFiles(str(folder), place).read()
        if table["time"].null_count == 0:
            timestamp = place
            break
    baseline, production = (
        os.path.relpath(part.resolve(), directory.resolve()).replace(os.sep, "/") for part in parts
    )
    return images_template(baseline, production, timestamp)


@click.command()
@output_options
@click.pass_obj
def schema(terminal: Terminal) -> None:
    """Print the JSON Schema of monitor.yaml."""
    import json

    from monitor.config import json_schema

    document = json_schema()
    terminal.result(document, [json.dumps(document, indent=2)])
