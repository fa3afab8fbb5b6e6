"""A part of the config that names a plug-in and gives it settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from monitor.environment import filled_in
from monitor.errors import ConfigError, UnknownNameError
from monitor.registry import Registry

T = TypeVar("T")


class PluginConfig(BaseModel):
    """What a plug-in makes: its name, and settings that the plug-in knows.

    Examples
    --------
    >>> PluginConfig(type="files", path="prod/*.parquet").settings
    {'path': 'prod/*.parquet'}
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(
        min_length=1,
        description="A name that is built in or that an installed plug-in brings. The other keys are its "
        "settings; ${NAME} in a text stands for the environment variable NAME.",
    )

    @property
    def settings(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.__pydantic_extra__ or {})

    def made_by(self, registry: Registry[Callable[..., T]], place: str, **own: Any) -> T:
        """What the thing called `type` makes of `own` and the settings.

        Parameters
        ----------
        registry
            Knows the names.
        place
            The key of this section, for messages.

        Raises
        ------
        ConfigError
            If the name is not known, or it does not take these settings.
        """
        filled = {
            name: filled_in(value, f"{place}.{name}") if isinstance(value, str) else value
            for name, value in self.settings.items()
        }
        try:
            return registry[self.type](**own, **filled)
        except UnknownNameError as error:
            raise ConfigError(f"{place}.type: {error}") from error
        # A wrong keyword is a TypeError; what a constructor refuses, a ValueError.
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"{place}: {registry.noun} {self.type!r} does not take "
                f"{', '.join(self.settings) or 'no settings'}: {error}"
            ) from error
