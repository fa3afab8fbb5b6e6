"""open_clip, imported without what no model of ours needs.

`import open_clip` also loads torch's compiler (torchvision asks it for one function that decides about
operators we never call, timm for a mark that only compiled models heed) and, where it is installed, the
whole of transformers, for text towers that few models have, and the hub's client, which only a download
needs. For the time of the import, placeholders stand in their places; what is asked of them is passed on to
the real modules when it is called. Of timm, which defines a thousand models in a hundred modules, a model's
own module is imported when the model is built, and the rest when somebody asks timm for it.

A program that calls CoCa's `generate`, which wants transformers 4, imports open_clip before monitor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial, wraps
from importlib import import_module, reload
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

from monitor.encoders.lazy import LazyPackage, deferred_functions

_COMPILER: Final = "torch._dynamo"
_COMPILER_UTILS: Final = "torch._dynamo.utils"
_TRANSFORMERS: Final = "transformers"
# Others take nothing but functions from them.
_OF_THE_HUB: Final = ("huggingface_hub", "timm.models._hub", "open_clip.push_to_hf_hub")
_VISION_MODELS: Final = "torchvision.models"
_TIMM: Final = ("timm", "timm.models", "timm.data")


def import_lightly(name: str) -> ModuleType:
    """The module `name`, without torch's compiler and transformers where they are not loaded yet.

    Examples
    --------
    >>> import_lightly("open_clip").__name__
    'open_clip'
    """
    if name in sys.modules:
        return import_module(name)
    import torch  # noqa: F401 - as a whole, before the placeholders stand

    with _in_place_of_the_rest(), suppress(ImportError, AttributeError):
        if "torchvision" not in sys.modules:
            sys.modules[_VISION_MODELS] = LazyPackage(_VISION_MODELS)
        _keep_timm_lazy()
        return import_module(name)
    # Another release of one of the libraries, which needs more than the placeholders give.
    for package in (*_TIMM, _VISION_MODELS):
        if isinstance(sys.modules.get(package), LazyPackage):
            del sys.modules[package]
    return import_module(name)


def bring_text_towers() -> None:
    """Let open_clip build the text towers that are models of transformers.

    Raises
    ------
    ImportError
        If transformers is not installed.
    """
    import_module(_TRANSFORMERS)
    hf_model = import_module("open_clip.hf_model")
    if hf_model.transformers is None:
        # In place: the classes that open_clip has taken from it look names up where they always did.
        reload(hf_model)


@contextmanager
def _in_place_of_the_rest() -> Iterator[None]:
    placeholders: dict[str, ModuleType | None] = {}
    if _COMPILER not in sys.modules:
        placeholders |= {_COMPILER: _compiler(), _COMPILER_UTILS: _compiler_utils()}
    for name in _OF_THE_HUB:
        if name not in sys.modules:
            placeholders[name] = deferred_functions(name, partial(_forget, name))
    if _TRANSFORMERS not in sys.modules:
        # To the importing module it is as if it were not installed.
        placeholders[_TRANSFORMERS] = None
    modules: dict[str, Any] = sys.modules
    modules |= placeholders
    try:
        yield
    finally:
        for name, placeholder in placeholders.items():
            if sys.modules.get(name, ...) is placeholder:
                del sys.modules[name]


def _compiler() -> ModuleType:
    """In place of `torch._dynamo`."""
    module = _placeholder(_COMPILER)

    def disable(function: Any = None, *args: Any, **options: Any) -> Any:
        if not isinstance(function, FunctionType):
            return _real(_COMPILER).disable(function, *args, **options)

        @cache
        def disabled() -> Callable[..., Any]:
            result: Callable[..., Any] = _real(_COMPILER).disable(function, *args, **options)
            return result

        @wraps(function)
        def later(*call_args: Any, **call_options: Any) -> Any:
            return disabled()(*call_args, **call_options)

        return later

    module.disable = disable  # type: ignore[attr-defined]
    return module


def _compiler_utils() -> ModuleType:
    """In place of `torch._dynamo.utils`."""
    module = _placeholder(_COMPILER_UTILS)

    def is_compile_supported(device_type: Any) -> Any:
        return _real(_COMPILER_UTILS).is_compile_supported(device_type)

    module.is_compile_supported = is_compile_supported  # type: ignore[attr-defined]
    return module


def _placeholder(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = []

    def missing(attribute: str) -> Any:
        # Of a thread of the caller's, or of another release: they get what they ask for.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(_real(name), attribute)

    module.__getattr__ = missing  # type: ignore[method-assign]
    return module


def _real(name: str) -> ModuleType:
    for module in (_COMPILER, _COMPILER_UTILS):
        if getattr(sys.modules.get(module), "__path__", None) == []:
            del sys.modules[module]
    return import_module(name)


def _forget(name: str) -> None:
    """Take the placeholder `name` out of the way of the real module."""
    if name in sys.modules and sys.modules[name].__spec__ is None:
        del sys.modules[name]


def _keep_timm_lazy() -> None:
    """Let timm wait, if it is installed and nobody has imported it yet."""
    if any(name in sys.modules for name in _TIMM) or find_spec("timm") is None:
        return
    packages: dict[str, LazyPackage] = {}
    for name in _TIMM:
        sys.modules[name] = packages[name] = LazyPackage(name)
    timm, models, data = packages.values()
    timm.models, timm.data = models, data  # type: ignore[attr-defined]
    timm.__version__ = import_module("timm.version").__version__  # type: ignore[attr-defined]
    # All that models take from there.
    constants = vars(import_module("timm.data.constants"))
    vars(data).update({key: value for key, value in constants.items() if key.isupper()})

    def create_model(model_name: str, *args: Any, **options: Any) -> Any:
        module = _defining_module(Path(models.__path__[0]), model_name)
        if module is None:
            timm.run()
            return timm.create_model(model_name, *args, **options)
        with _in_place_of_the_rest():
            import_module(f"timm.models.{module}")
            factory = import_module("timm.models._factory")
        return factory.create_model(model_name, *args, **options)

    timm.create_model = create_model  # type: ignore[attr-defined]


def _defining_module(folder: Path, model: str) -> str | None:
    """The module of timm that defines `model`; None where that is not plain."""
    function = f"def {model.partition('.')[0]}(".encode()
    modules = [path.stem for path in folder.glob("*.py") if function in path.read_bytes()]
    return modules[0] if len(modules) == 1 else None


open_clip: Final[Any] = import_lightly("open_clip")
