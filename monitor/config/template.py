"""The config that `monitor init` writes."""

from importlib.resources import files


def template() -> str:
    """A commented `monitor.yaml` to start from.

    Examples
    --------
    >>> template().splitlines()[0]
    '# What is monitored, where its data lies and what counts as drift.'
    """
    return files("monitor.config").joinpath("template.yaml").read_text(encoding="utf-8")
