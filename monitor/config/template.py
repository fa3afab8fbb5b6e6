"""The config that `monitor init` writes."""

import json
import re
from importlib.resources import files


def template() -> str:
    """A commented `monitor.yaml` to start from.

    Examples
    --------
    >>> template().splitlines()[0]
    '# What is monitored, where its data lies and what counts as drift.'
    """
    return files("monitor.config").joinpath("template.yaml").read_text(encoding="utf-8")


def images_template(baseline: str, production: str, timestamp: str) -> str:
    """The config for two folders of images, which runs as it is.

    Parameters
    ----------
    baseline, production
        Folders or patterns, seen from the config.
    timestamp
        Where an image's time is: `path`, `mtime` or `exif`.

    Examples
    --------
    >>> text = images_template("photos/train", "photos/new", "path")
    >>> 'images: "photos/new"' in text, "source_column: path" in text
    (True, True)
    """
    data = f"""\
# Images are rows with the columns path, time and size. Times are in the path (a date), in the file's state
# (mtime) or in its EXIF (exif).
data:
  baseline:                        # what is normal, such as the training data
    images: {json.dumps(baseline, ensure_ascii=False)}
    timestamp: {timestamp}
  production:                      # what is judged
    images: {json.dumps(production, ensure_ascii=False)}
    timestamp: {timestamp}
"""
    files_section = re.compile(r"# Parquet or CSV files;.*?(?=\n# From where images)", re.DOTALL)
    text = files_section.sub(lambda _: data, template())
    return re.sub(r"source_column: image_url .*", "source_column: path", text)
