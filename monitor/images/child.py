"""How a parent starts and ends a process of its own code, and how that process begins to answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any

from monitor.images.blocks import read_block


def code_of(module: str) -> list[str]:
    """The command that runs `main` of `module` in a process of its own.

    With the parent's search path, so that it runs the same code; not its main module, which a spawned process
    of `multiprocessing` would run again.
    """
    code = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        f"from {module} import main; main()"
    )
    return [sys.executable, "-c", code, json.dumps(sys.path)]


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for its end, for so long at most, and give back what it held."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def begin() -> tuple[IO[bytes], dict[str, Any]] | None:
    """In the child: where its answers go, and what the parent said first; None if that has gone."""
    # Ctrl-C goes to the whole group; the parent says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not come between the blocks.
    os.dup2(2, 1)
    settings = read_block(sys.stdin.buffer)
    return None if settings is None else (answers, json.loads(settings))
