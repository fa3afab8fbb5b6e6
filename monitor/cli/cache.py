"""`monitor cache`: what the vector cache holds, and how it becomes smaller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.root import SuggestingGroup
from monitor.cli.terminal import Terminal, counted

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.config import MonitoringConfig

_SECONDS_A_DAY = 86_400


def cache_folder(config: MonitoringConfig) -> Path:
    """Where the vector cache of `config` lies."""
    if config.cache.folder is not None:
        return config.resolve(config.cache.folder)
    return config.resolve(config.output) / "cache"


def open_cache(
    config: MonitoringConfig, *, job: str | None = None, is_forced: bool = False
) -> VectorCache:
    """The vector cache of `config`; see `VectorCache`."""
    from monitor.cache import VectorCache

    return VectorCache(
        cache_folder(config),
        ttl_seconds=config.cache.ttl_seconds,
        max_bytes=config.cache.max_bytes,
        job=job,
        is_forced=is_forced,
    )


@click.group(cls=SuggestingGroup)
def cache() -> None:
    """Vectors of images that were seen before."""


@cache.command()
@config_option
@output_options
@click.pass_obj
def info(terminal: Terminal, config_path: Path) -> None:
    """Show what the vector cache holds."""
    from monitor.config import MonitoringConfig

    config = MonitoringConfig.load(config_path)
    with open_cache(config) as opened:
        contents = opened.info()
    megabytes, most = contents.n_bytes / 1e6, config.cache.max_bytes / 1e6
    terminal.result(
        {
            "path": contents.path,
            "n_bytes": contents.n_bytes,
            "max_bytes": config.cache.max_bytes,
            "n_vectors": contents.n_vectors,
            "n_sources": contents.n_sources,
            "n_vectors_by_encoder": dict(contents.n_vectors_by_encoder),
        },
        [
            f"{contents.path}: {megabytes:,.1f} MB of at most {most:,.0f} MB",
            *(
                f"{encoder}: {counted(n, 'vector')}"
                for encoder, n in contents.n_vectors_by_encoder.items()
            ),
            f"{counted(contents.n_sources, 'source')} known (addresses and files)",
        ],
    )


@cache.command()
@config_option
@click.option(
    "--unused-days",
    type=click.FloatRange(min=0),
    help="Forget vectors that were not used for so many days.",
)
@click.option("--all", "everything", is_flag=True, help="Delete the cache, also a damaged one.")
@output_options
@click.pass_obj
def prune(
    terminal: Terminal, config_path: Path, unused_days: float | None, everything: bool
) -> None:
    """Make the vector cache smaller: no larger than cache.max_bytes, or as the options say.

    Nothing is lost but time: what is forgotten is made again when it is needed.
    """
    from monitor.cache import remove
    from monitor.config import MonitoringConfig

    if everything and unused_days is not None:
        raise click.UsageError("--all and --unused-days do not go together")
    config = MonitoringConfig.load(config_path)
    if everything:
        folder = cache_folder(config)
        was_there = remove(folder)
        terminal.result(
            {"is_deleted": was_there},
            [f"deleted the cache in {folder}" if was_there else f"there is no cache in {folder}"],
        )
        return
    with open_cache(config) as opened:
        n_forgotten = opened.prune(
            max_bytes=config.cache.max_bytes,
            unused_for_seconds=None if unused_days is None else unused_days * _SECONDS_A_DAY,
        )
        contents = opened.info()
    terminal.result(
        {"n_forgotten": n_forgotten, "n_vectors": contents.n_vectors, "n_bytes": contents.n_bytes},
        [f"forgot {counted(n_forgotten, 'vector')}, kept {counted(contents.n_vectors, 'vector')}"],
    )
