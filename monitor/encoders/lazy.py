"""Modules that wait with their own code until somebody asks for what it defines.

Unlike `importlib.util.LazyLoader`, a package's submodules can be imported while it waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

# What runs a package's code although it looks like the import system's own.
_ASKED_FOR: Final = ("__all__", "__version__")
_lock = threading.RLock()


class LazyPackage(ModuleType):
    """The package `name`, whose `__init__` runs when a name is asked for that is not there yet.

    It stays the same module afterwards, as if it had been imported the usual way.

    Examples
    --------
    >>> package = LazyPackage("email")
    >>> "message_from_string" in vars(package), callable(package.message_from_string)
    (False, True)
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        spec = _spec_of(name)
        if spec is None or spec.loader is None or spec.submodule_search_locations is None:
            raise ImportError(f"{name} is no package that can be found")
        self.__spec__, self.__loader__, self.__package__ = spec, spec.loader, name
        self.__file__, self.__path__ = spec.origin, list(spec.submodule_search_locations)
        self._has_run = False

    def run(self) -> None:
        """Run the package's own code, once."""
        with _lock:
            if not self._has_run:
                self._has_run = True
                try:
                    self.__loader__.exec_module(self)  # type: ignore[union-attr]
                except BaseException:
                    self._has_run = False
                    raise

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") or name in _ASKED_FOR:
            self.run()
            if name in vars(self):
                return vars(self)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _spec_of(name: str) -> ModuleSpec | None:
    """Where `name` lies; unlike `find_spec`, without an import of the packages above it."""
    above, _, _ = name.rpartition(".")
    if not above:
        return find_spec(name)
    package = _spec_of(above)
    return package and PathFinder.find_spec(name, package.submodule_search_locations)


def deferred_functions(name: str, forget: Callable[[], None]) -> ModuleType:
    """In place of the module `name`: whatever is asked of it is a function that imports it when called.

    Parameters
    ----------
    name
        A module from which others take functions only.
    forget
        Called before the import, to take the placeholder out of its way.

    Examples
    --------
    >>> deferred_functions("posixpath", lambda: None).basename("a/b.jpg")
    'b.jpg'
    """
    module = ModuleType(name)

    def deferred(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)

        def function(*args: Any, **options: Any) -> Any:
            forget()
            return getattr(import_module(name), attribute)(*args, **options)

        function.__name__ = function.__qualname__ = attribute
        return function

    module.__getattr__ = deferred  # type: ignore[method-assign]
    return module
