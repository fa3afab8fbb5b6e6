"""A path or pattern ─► the files that it names, of this machine or of an object store."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monitor.errors import InvalidInputError, MissingExtraError, did_you_mean
from monitor.frames.compressed import BY_SUFFIX

_PACKAGES: Final = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
_MARKER: Final = re.compile(r"_[^.]*\Z")
_OF_TEXT: Final = (".csv", ".tsv")
TABLES: Final = (
    ".parquet",
    ".pq",
    *(kind + packed for kind in _OF_TEXT for packed in ("", *BY_SUFFIX)),
)
"""What the names of files with rows end in."""


@dataclass(frozen=True)
class Listing:
    """Files, and the store that they are in.

    Parameters
    ----------
    store
        An fsspec file system.
    paths
        As the store names them, sorted.
    root
        The part of the pattern before its first wildcard, as the store names it.
    """

    store: Any
    paths: tuple[str, ...]
    root: str


def list_files(
    path: str, *, exclude: str | None = None, suffixes: Sequence[str] = TABLES
) -> Listing:
    """The files that `path` names.

    Parameters
    ----------
    path
        A file; a folder, which stands for all files in it and below whose names end in `suffixes`; or a
        pattern with `*`, `?`, `[…]`, and `**` for any number of folders, which also finds folders that end in
        `suffixes`, as Spark writes tables, and stand for their files. A name that exists is itself, even
        if it holds brackets. Behind a scheme such as `s3://` it is an fsspec path.
    exclude
        A folder of this machine that is never searched.
    suffixes
        Of the files of a folder.

    What begins with a dot, such as `.ipynb_checkpoints`, and folders and files without a suffix that begin
    with an underscore, such as Spark's `_temporary` and `_SUCCESS`, are found only
    if the pattern names them so.

    Raises
    ------
    InvalidInputError
        If there is no such file, or the store cannot be searched.
    MissingExtraError
        If the package for the scheme is not installed.
    """
    import fsspec  # type: ignore[import-untyped]

    if "::" in path and not os.path.exists(path):
        # fsspec reads it as a chain of file systems.
        raise InvalidInputError(f"the path {path!r} must not hold '::'")
    try:
        store, pattern = fsspec.core.url_to_fs(path)
        # A schedule runs for months; the clients of object stores remember what was there before.
        store.invalidate_cache()
        root, rest = _split(store, pattern)
        names = _search(store, root, rest, tuple(suffixes))
    except ImportError as error:
        scheme = path.partition("://")[0]
        raise MissingExtraError.of(_PACKAGES.get(scheme, scheme), scheme) from error
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be searched: {error}") from error
    kept = tuple(sorted(name for name in names if not _is_below(name, exclude)))
    if not kept:
        raise InvalidInputError(_nothing(store, path, root, rest))
    return Listing(store, kept, root)


def _split(store: Any, pattern: str) -> tuple[str, list[str]]:
    """The part of a pattern that names one place, and the parts behind it."""
    parts = pattern.split("/")
    for i, part in enumerate(parts):
        place = "/".join(parts[: i + 1])
        if glob.has_magic(part) and not store.exists(place):
            return "/".join(parts[:i]), parts[i:]
    return pattern, []


def _search(store: Any, root: str, rest: Sequence[str], suffixes: tuple[str, ...]) -> list[str]:
    if not rest and store.isfile(root):
        return [root]
    parts = tuple(rest) or ("**", "*")
    if parts[-1] == "**":
        parts = (*parts, "*")
    below = len(root.rstrip("/")) + 1
    paths = []
    for path in _files_below(store, root or "/", None if "**" in parts else len(parts), suffixes):
        names = tuple(path[below:].split("/"))
        is_table = path.lower().endswith(suffixes)
        is_named = _matches(names, parts) and (is_table or bool(rest))
        if is_named or (is_table and _is_in_table(names, parts, suffixes)):
            paths.append(path)
    return paths


def _is_in_table(names: tuple[str, ...], parts: tuple[str, ...], suffixes: tuple[str, ...]) -> bool:
    """Whether a file is of a folder that is a table, such as Spark's `day.parquet/part-0.parquet`."""
    hidden = [_is_hidden(name, is_folder=at < len(names)) for at, name in enumerate(names, start=1)]
    return any(
        names[at - 1].lower().endswith(suffixes)
        and not any(hidden[at:])
        and _matches((*names[:at],), parts)
        for at in range(1, len(names))
    )


def _files_below(
    store: Any, root: str, depth: int | None, suffixes: tuple[str, ...]
) -> Iterator[str]:
    """The files of a folder and those below it, `depth` names deep at most but in folders with a suffix."""
    if not is_local(store):
        entries = store.find(root, maxdepth=depth, detail=True, withdirs=True)
        for name, entry in entries.items():
            if entry["type"] == "file":
                yield name
            elif depth is not None and name.lower().rstrip("/").endswith(suffixes):
                n_below = name.rstrip("/").removeprefix(root).strip("/").count("/") + 1
                if n_below == depth:
                    yield from store.find(name)
        return
    # fsspec follows no links to folders.
    walked = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        level = 1 if folder == root else os.path.relpath(folder, root).count(os.sep) + 2
        if os.path.realpath(folder) in walked:
            folders.clear()
        elif depth is not None and level >= depth:
            is_table = level > depth  # below a folder that was kept for it
            folders[:] = [name for name in folders if is_table or name.lower().endswith(suffixes)]
        if os.path.realpath(folder) not in walked:
            paths = (os.path.join(folder, name) for name in names)
            yield from (path.replace(os.sep, "/") for path in paths if os.path.isfile(path))
        walked.add(os.path.realpath(folder))


def is_local(store: Any) -> bool:
    """Whether an fsspec file system is this machine's."""
    return bool(store.protocol == "file" or "file" in store.protocol)


def _matches(names: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether the names of folders and at last of a file match the parts of a pattern, one by one."""
    if not names or not parts:
        return not names and not parts
    name, is_folder = names[0], len(names) > 1
    if parts[0] == "**":
        goes_on = is_folder and not _is_hidden(name, is_folder) and _matches(names[1:], parts)
        return goes_on or _matches(names, parts[1:])
    fits = name == parts[0] or (
        fnmatch.fnmatchcase(name, parts[0])
        and (not _is_hidden(name, is_folder) or parts[0][0] == name[0])
    )
    return fits and _matches(names[1:], parts[1:])


def _is_hidden(name: str, is_folder: bool) -> bool:
    if is_folder:
        # A folder such as `_year=2026` is a partition.
        return name.startswith(".") or (name.startswith("_") and "=" not in name)
    return name.startswith(".") or _MARKER.match(name) is not None


def _is_below(path: str, folder: str | None) -> bool:
    return folder is not None and f"{path}/".startswith(f"{folder}/")


def _nothing(store: Any, path: str, root: str, rest: Sequence[str]) -> str:
    if rest:
        return f"no file matches {path}: check the pattern; files in subfolders need '**'"
    if store.isdir(root):
        return f"the folder {path} holds no .parquet, .pq, .csv or .tsv file"
    folder, _, name = root.rpartition("/")
    try:
        beside = [entry.rpartition("/")[2] for entry in store.ls(folder or "/", detail=False)]
    except (OSError, ValueError):
        beside = []
    return f"there is no file {path}: {did_you_mean(name, beside) or 'check the path'}".rstrip()
