"""`monitor serve`: the page where a team looks, and the tokens of who may."""

from __future__ import annotations

import datetime as dt
import getpass
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.root import SuggestingGroup
from monitor.cli.terminal import Terminal, table

if TYPE_CHECKING:
    from monitor.cli.project import Project
    from monitor.clusters import Baseline
    from monitor.store import Store
    from monitor.web import Site


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@config_option
@click.option("--host", help="The address to listen on instead of serve.host.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="The port instead of serve.port; 0 takes a free one.",
)
@output_options
@click.pass_context
def serve(ctx: click.Context, config_path: Path, host: str | None, port: int | None) -> None:
    """Show what the store holds in a browser: from an alert to the pictures that caused it.

    It listens on this machine only. For others, make tokens with `monitor serve token create`, and give
    --host. Ctrl-C ends.
    """
    if ctx.invoked_subcommand is not None:
        return
    from monitor.cli.project import Project

    serve_project(Project.open(config_path, ctx.ensure_object(Terminal)), host, port)


@serve.command()
@click.option("--allow-acts", is_flag=True, help="It may mark windows and acknowledge alerts, too.")
@config_option
@output_options
@click.pass_obj
def mcp(terminal: Terminal, allow_acts: bool, config_path: Path) -> None:
    """Answer an agent by the Model Context Protocol, on standard input and output.

    It lists features, windows and alerts, describes windows and their changed rows. An agent's program starts
    this command itself.
    """
    from monitor.cli.project import Project
    from monitor.errors import MissingExtraError

    try:
        from monitor.web.agents import run
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(str(error.name), "mcp") from error
    project = Project.open(config_path, terminal)
    with _opened(project) as site:
        run(site, _user(), may_act=allow_acts)


@serve.group(cls=SuggestingGroup)
def token() -> None:
    """Who may look from other machines: create, list, revoke."""


@token.command()
@click.argument("name")
@click.option(
    "--read-only", is_flag=True, help="It may look, and neither mark nor accept anything."
)
@config_option
@output_options
@click.pass_obj
def create(terminal: Terminal, name: str, read_only: bool, config_path: Path) -> None:
    """Make a token for NAME, which signs what is done with it. It is shown once."""
    from monitor.store import tokens

    with _store(config_path) as store, store.writing() as connection:
        made = tokens.create(connection, name, dt.datetime.now(dt.UTC), may_act=not read_only)
    # Not by the terminal, which leaves out what looks secret.
    if terminal.as_json:
        terminal.result({"name": name, "may_act": not read_only}, [])
    click.echo(made, err=terminal.as_json)
    terminal.say("it is kept nowhere: give it to whom it is for, and to nobody else")


@token.command("list")
@config_option
@output_options
@click.pass_obj
def list_all(terminal: Terminal, config_path: Path) -> None:
    """List the tokens: whose they are, and whether they hold."""
    from monitor.store import tokens

    with _store(config_path) as store, store.reading() as connection:
        known = tokens.every(connection)
    entries = [
        {
            "name": token.name,
            "may_act": token.may_act,
            "created_at": token.created_at.isoformat(),
            "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
        }
        for token in known
    ]
    head = ["name", "may", "since", "state"]
    rows = [
        [t.name, "act" if t.may_act else "read", f"{t.created_at:%Y-%m-%d}",
         "holds" if t.revoked_at is None else f"revoked {t.revoked_at:%Y-%m-%d}"]
        for t in known
    ]  # fmt: skip
    terminal.result({"tokens": entries}, table(head, rows))


@token.command()
@click.argument("name")
@config_option
@output_options
@click.pass_obj
def revoke(terminal: Terminal, name: str, config_path: Path) -> None:
    """Take the token of NAME back, at once."""
    from monitor.store import tokens

    with _store(config_path) as store, store.writing() as connection:
        tokens.revoke(connection, name, dt.datetime.now(dt.UTC))
    terminal.result({"name": name}, [f"the token of {name} holds no more"])


def serve_project(project: Project, host: str | None = None, port: int | None = None) -> None:
    """Serve the page of a config until it is stopped.

    Raises
    ------
    MissingExtraError
        If the packages of the page are not installed.
    MonitorError
        If the store cannot be used, or nothing says who may look.
    """
    from monitor.errors import MissingExtraError

    try:
        from monitor.web.listen import access_of, listen
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(str(error.name), "web") from error
    serving = project.config.serve
    host = host or serving.host
    with _opened(project) as site:
        access = access_of(
            site.store, host, _user(), hosts=serving.hosts,
            user_header=serving.user_header, proxies=serving.proxies,
        )  # fmt: skip
        listen(
            site,
            access,
            host,
            serving.port if port is None else port,
            lambda address: project.terminal.say(f"the page is at {address}; Ctrl-C ends"),
        )


@contextmanager
def _opened(project: Project) -> Iterator[Site]:
    """What the page of a config stands on."""
    from monitor.cli.embedding import located
    from monitor.cli.served_rows import ConfigRows
    from monitor.store import Store
    from monitor.web.site import Site

    config = project.config
    with Store(config.store_url) as store:
        store.prepare()
        yield Site(
            store=store,
            features={feature.name: located(config, feature) for feature in config.monitored},
            policy=config.policy,
            rows=ConfigRows(project),
            folder=project.output / "web",
            max_points=config.serve.max_points,
            accept=partial(_accept, project, threading.Lock()),
        )


def _accept(
    project: Project, turn: threading.Lock, feature: str, start: dt.datetime, end: dt.datetime
) -> Baseline:
    """Fit the baseline of a feature again with the rows of [start, end); one at a time."""
    from monitor.cli.accept import accept_span
    from monitor.windows import Window

    with turn:
        (accepted,) = accept_span(project, project.features([feature]), Window(start, end))
    return accepted.baseline


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "local"


def _store(config_path: Path) -> Store:
    from monitor.config import MonitoringConfig
    from monitor.store import Store

    return Store(MonitoringConfig.load(config_path).store_url).prepare()
