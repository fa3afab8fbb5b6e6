"""What raises an alert and where alerts go: the `alerts` section of the config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from monitor.alerts.rule import AlertRule, Amount, Name, Settings, Severity, Whole
from monitor.errors import ConfigError

LINK_FIELDS: Final = ("feature", "segment", "rule", "start", "end")


def _unless(holds: bool, value: object, message: str) -> object:
    # A message of pydantic's own would show the value that it refuses, and with it a secret.
    if not holds:
        raise ConfigError(message)
    return value


class AlertChannel(Settings):
    """One place where alerts go. Its URL is a secret: it is never shown.

    Examples
    --------
    >>> AlertChannel(name="team", url="slack://TokenA/TokenB/TokenC")
    AlertChannel(name='team', severity=<Severity.WARNING: 'warning'>, resolved=True, format='text')
    """

    name: Name = Field(description="What the channel is called; each has a name of its own.")
    url: str = Field(
        repr=False,
        description="An apprise URL, such as mailtos://…, slack://…, msteams://…, pagerduty://… or "
        "jsons://… (a webhook). ${NAME} stands for the environment variable NAME.",
    )
    severity: Severity = Field(
        default=Severity.WARNING, description="The least severity that is sent here."
    )
    resolved: bool = Field(
        default=True,
        description="Whether the end of an alert is sent, too; false for a pager, where each message "
        "opens an incident.",
    )
    format: Literal["text", "markdown"] = Field(
        default="text", description="How messages are written: text, or markdown for chats."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        return _unless(isinstance(value, Mapping | cls), value, "a channel has keys: name and url")

    @field_validator("url", mode="before")
    @classmethod
    def _is_url(cls, value: object) -> object:
        if not isinstance(value, str) or not re.match(
            r"\$\{\w+\}|[A-Za-z][\w+-]*://", value.strip()
        ):
            raise ConfigError(
                "the value (not shown, it may hold a password) is not a channel: give an apprise URL "
                "such as 'mailtos://…' or 'slack://…', or '${NAME}' of an environment variable"
            )
        return value.strip()


class AlertsConfig(Settings):
    """What raises an alert and where alerts go.

    Examples
    --------
    >>> [rule.name for rule in AlertsConfig().rules]
    ['drift', 'broken feed']
    >>> AlertsConfig(link="https://ours.example/{feature}?at={start}").link
    'https://ours.example/{feature}?at={start}'
    """

    channels: tuple[AlertChannel, ...] = Field(
        default=(), description="Where alerts are sent. Without any they are only kept."
    )
    rules: tuple[AlertRule, ...] = Field(
        default=(
            AlertRule(name="drift"),
            AlertRule(name="broken feed", metric="broken_feed", severity=Severity.CRITICAL),
        ),
        description="What raises an alert. By default a window that drifted (a warning) and a "
        "broken feed (critical).",
    )
    link: str | None = Field(
        default=None,
        description="The address that a message leads to; {feature}, {segment}, {rule}, {start} "
        "and {end} are filled in.",
    )
    max_attempts: Whole = Field(
        default=12, ge=1, description="How often a message is tried before it is given up."
    )
    retry_seconds: Amount = Field(
        default=30.0,
        gt=0,
        description="The wait after the first failure; it doubles with each further one.",
    )
    max_retry_seconds: Amount = Field(default=3600.0, gt=0, description="The longest wait.")

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        allowed = ", ".join(cls.model_fields)
        return _unless(isinstance(value, Mapping | cls), value, f"must have keys: {allowed}")

    @field_validator("channels", mode="before")
    @classmethod
    def _is_list(cls, value: object) -> object:
        return _unless(isinstance(value, list | tuple), value, "must be a list of channels")

    @field_validator("rules", "channels")
    @classmethod
    def _names_differ(cls, named: tuple[AlertRule | AlertChannel, ...]) -> object:
        names = [setting.name for setting in named]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"the name {twice[0]!r} is there twice: give each its own")
        return named

    @field_validator("link")
    @classmethod
    def _link_holds(cls, link: str | None) -> str | None:
        if link is None:
            return None
        if urlsplit(link).scheme not in ("http", "https"):
            raise ConfigError(f"{link!r} must begin with http:// or https://")
        try:
            fields = [
                f"{name}{'!' + how if how else ''}{':' + spec if spec else ''}"
                for _, name, spec, how in Formatter().parse(link)
                if name is not None
            ]
        except ValueError as error:
            raise ConfigError(f"{link!r} holds a brace that does not close: {error}") from error
        wrong = [name for name in fields if name not in LINK_FIELDS]
        if wrong:
            raise ConfigError(
                f"{link!r} names {{{wrong[0]}}}; allowed: "
                f"{', '.join(f'{{{name}}}' for name in LINK_FIELDS)}"
            )
        return link
