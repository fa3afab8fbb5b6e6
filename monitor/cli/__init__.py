"""The `monitor` command: `main` is its entry point."""

from monitor.cli.root import main

__all__ = ["main"]
