"""Where a model's files are on this machine, or how to get them: never a long wait, never a guess."""

from __future__ import annotations

import os
import re
import socket
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

from monitor.encoders.spec import CONFIG_FILE, WEIGHTS_FILE
from monitor.errors import ModelNotFoundError

# The hub's client retries for about half a minute per file when there is no network.
CONNECT_SECONDS: Final = 3.0
_BIN_FILE: Final = "open_clip_pytorch_model.bin"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def hub_checkpoint(
    repo: str, filename: str, cache_dir: str | None, revision: str | None = None
) -> Path:
    """The weights of a hub repository, as safetensors where it has them.

    Parameters
    ----------
    repo
        ``org/name``.
    filename
        The file that open_clip names, or empty for its default.
    cache_dir
        The hub's cache. None: its own default.
    revision
        A commit, tag or branch. None: what the cache holds as the newest, else the newest.

    Raises
    ------
    ModelNotFoundError
        If the file is neither in the cache nor within reach.
    """
    named = filename or _BIN_FILE
    if named == _BIN_FILE:
        return hub_file(repo, (WEIGHTS_FILE, _BIN_FILE), cache_dir, revision)
    safe = str(Path(named).with_suffix(".safetensors"))
    return hub_file(repo, tuple(dict.fromkeys((safe, named))), cache_dir, revision)


def hub_snapshot(repo: str, cache_dir: str | None, revision: str | None = None) -> Path:
    """The folder that holds the config and the weights of a hub repository.

    Raises
    ------
    ModelNotFoundError
        If one of the two is neither in the cache nor within reach.
    """
    weights = hub_checkpoint(repo, "", cache_dir, revision)
    config = hub_file(repo, (CONFIG_FILE,), cache_dir, revision)
    if weights.parent != config.parent:
        raise ModelNotFoundError(
            f"the config and the weights of {repo!r} in {cache_dir or constants.HF_HUB_CACHE} are "
            "of two revisions; delete the repository's folder there and download it again"
        )
    return weights.parent


def hub_file(
    repo: str, filenames: Sequence[str], cache_dir: str | None, revision: str | None = None
) -> Path:
    """The first of `filenames` that is cached, else the first that the hub has.

    Raises
    ------
    ModelNotFoundError
        If none is in the cache and none can be fetched. The message says what to download and
        where to put it.
    """
    for filename in filenames:
        try:
            return Path(_download(repo, filename, cache_dir, revision, local_files_only=True))
        except LocalEntryNotFoundError:
            continue
        except ValueError as error:
            raise _missing(repo, filenames, cache_dir, revision, str(error)) from error
    reason = why_unreachable()
    if reason:
        raise _missing(repo, filenames, cache_dir, revision, reason)
    last: Exception | None = None
    for filename in filenames:
        try:
            path = Path(_download(repo, filename, cache_dir, revision, local_files_only=False))
        except EntryNotFoundError as error:
            last = error
            continue
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise _missing(repo, filenames, cache_dir, revision, _first_line(error)) from error
        _tell_revision(repo, path, revision)
        return path
    raise _missing(
        repo, filenames, cache_dir, revision, "the repository has no such file"
    ) from last


def why_unreachable() -> str:
    """Why the hub cannot be asked, or an empty string: decided in about three seconds.

    Name resolution has no timeout of its own, so it runs beside us.
    """
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    host, port = _door(constants.ENDPOINT)
    problem: list[str] = [f"{host} did not answer within {CONNECT_SECONDS:g} s"]

    def knock() -> None:
        try:
            socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            problem[0] = f"{host} cannot be reached ({error.strerror or error})"
        else:
            problem[0] = ""

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS + 0.5)
    return problem[0]


def _door(endpoint: str) -> tuple[str, int]:
    """The host and port to knock at: the proxy's, where one stands before `endpoint`."""
    url = urlsplit(endpoint)
    proxy = getproxies().get(url.scheme)
    if proxy and url.hostname and not proxy_bypass(url.hostname):
        url = urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def _download(
    repo: str, filename: str, cache_dir: str | None, revision: str | None, **options: Any
) -> str:
    path = huggingface_hub.hf_hub_download(
        repo, filename, cache_dir=cache_dir, revision=revision, **options
    )
    return str(path)


def _tell_revision(repo: str, path: Path, revision: str | None) -> None:
    """Say which commit was downloaded, unless that commit was asked for."""
    commit = path.parent.name
    if revision is None and _COMMIT.fullmatch(commit):
        warnings.warn(
            f"{path.name} of {repo!r} was downloaded at its newest revision, {commit}; set "
            f"revision={commit!r} to have the same weights on every machine",
            UserWarning,
            stacklevel=2,
        )


def _missing(
    repo: str, filenames: Sequence[str], cache_dir: str | None, revision: str | None, reason: str
) -> ModelNotFoundError:
    cache = cache_dir or constants.HF_HUB_CACHE
    at = "" if revision is None else f" at revision {revision!r}"
    option = "" if revision is None else f"--revision {revision} "
    return ModelNotFoundError(
        f"{' or '.join(filenames)} of {repo!r}{at} is not on this machine and cannot be fetched: "
        f"{reason}. On a machine with network run: hf download {repo} {filenames[0]} "
        f"{option}--cache-dir DIR, then copy DIR into {os.fspath(cache)}; or download "
        f"{constants.ENDPOINT}/{repo}/resolve/{revision or 'main'}/{filenames[0]} and name the file: "
        f"pretrained='/path/{Path(filenames[0]).name}'"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
