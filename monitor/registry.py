"""Names ─► what they stand for: built in, registered by a program, or brought by an installed plug-in.

A plug-in is a distribution with entry points in one of these groups:

=====================  =====================================================================
`monitor.distances`    a `monitor.drift.Distance`
`monitor.sources`      called with the settings of the config: gives a `monitor.sources.Source`
`monitor.encoders`     called with an `EncoderSpec`: gives a `monitor.encoders.Encoder`
`monitor.executors`    called with the settings of the config: gives a `monitor.embedding.Executor`
`monitor.features`     a subclass of `monitor.features.CustomFeature`
=====================  =====================================================================

See docs/plugins.md. Nothing of a plug-in is imported before its name is asked for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from monitor.errors import PluginError, UnknownNameError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """The names of one extension point. Thread-safe.

    Parameters
    ----------
    group
        The entry points' group.
    noun
        What its values are called in messages, such as "distance".
    built_in
        By name: the value, or `"module:attribute"` where it is, for values that are slow to import.
    check
        Given a name and a value that is not built in; raises a `ValueError` or `TypeError` if it will not do.

    Examples
    --------
    >>> colours = Registry("our.colours", "colour", {"red": 0xFF0000})
    >>> colours.register("green", 0x00FF00)
    >>> colours.names(), colours["green"]
    (('red', 'green'), 65280)
    >>> colours["gren"]
    Traceback (most recent call last):
    ...
    monitor.errors.UnknownNameError: there is no colour 'gren'; did you mean 'green'? known: red, green; ...
    """

    def __init__(
        self,
        group: str,
        noun: str,
        built_in: Mapping[str, T | str],
        check: Callable[[str, Any], object] = lambda name, value: None,
    ) -> None:
        self.group = group
        self.noun = noun
        self._built_in = dict(built_in)
        self._check = check
        self._registered: dict[str, T] = {}
        self._loaded: dict[str, T] = {}
        self._lock = threading.RLock()

    def register(self, name: str, value: T) -> None:
        """Let `name` stand for `value` in this process; a later registration replaces an earlier one.

        Raises
        ------
        PluginError
            If the name is blank or built in, or the value will not do.
        """
        if not name.strip() or name in self._built_in:
            raise PluginError(
                f"{name!r} cannot be registered as {_a(self.noun)}: choose a name that is not blank and "
                f"none of {', '.join(self._built_in)}"
            )
        with self._lock:
            self._registered[str(name)] = self._checked(name, value, "the value registered")

    def names(self) -> tuple[str, ...]:
        """Every known name: built in, registered, then those of installed plug-ins."""
        return tuple(dict.fromkeys([*self._built_in, *self._registered, *self._plugins()]))

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._registered or name in self._plugins()

    def __getitem__(self, name: str) -> T:
        """What `name` stands for.

        Raises
        ------
        UnknownNameError
            A `KeyError`, if nobody knows the name.
        PluginError
            If two plug-ins bring it, or the plug-in cannot be imported or will not do.
        """
        with self._lock:
            if name in self._registered:
                return self._registered[name]
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def _load(self, name: str) -> T:
        if name in self._built_in:
            value = self._built_in[name]
            if not isinstance(value, str):
                return value
            module, _, attribute = value.partition(":")
            return cast(T, getattr(import_module(module), attribute))
        plugins = self._plugins().get(name, [])
        if not plugins:
            known = self.names()
            raise UnknownNameError(
                f"there is no {self.noun} {name!r}; {did_you_mean(name, known)}known: {', '.join(known)}; "
                f"a plug-in brings its own by an entry point of the group {self.group!r}"
            )
        if len(plugins) > 1:
            raise PluginError(
                f"the {self.noun} {name!r} is brought by {' and '.join(map(_origin, plugins))}: uninstall "
                "all but one of them"
            )
        try:
            value = plugins[0].load()
        # A plug-in's module can fail in any way; the message says whose it is.
        except Exception as error:
            raise PluginError(
                f"the {self.noun} {name!r} of {_origin(plugins[0])} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        return self._checked(name, value, f"what {_origin(plugins[0])} brings")

    def _plugins(self) -> dict[str, list[EntryPoint]]:
        """The entry points of our group by name; a built-in name stays built in."""
        found: dict[str, list[EntryPoint]] = {}
        for point in _entry_points(self.group, tuple(sys.path)):
            if point.name not in self._built_in and point not in found.get(point.name, []):
                found.setdefault(point.name, []).append(point)
        return found

    def _checked(self, name: str, value: Any, whose: str) -> T:
        try:
            self._check(name, value)
        except (TypeError, ValueError) as error:
            raise PluginError(f"{whose} is no {self.noun} {name!r}: {error}") from error
        return cast(T, value)


@lru_cache
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of what is installed; looked for again when `path`, which is sys.path, changes."""
    return tuple(entry_points(group=group))


def must_be_callable(name: str, value: Any) -> None:
    """Pass if `value` can be called; for registries of classes and functions."""
    if not callable(value):
        raise TypeError(f"it is a {type(value).__name__}, which cannot be called")


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} ({point.value})" if point.dist else point.value


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
