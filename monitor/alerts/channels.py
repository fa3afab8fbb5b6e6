"""A message ─► a channel. The only door to apprise."""

from __future__ import annotations

import logging
import re
import warnings
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from monitor.alerts.alert import Message, MessageKind
from monitor.alerts.settings import AlertChannel
from monitor.environment import filled_in
from monitor.errors import ConfigError, DeliveryError
from monitor.redaction import shorten

if TYPE_CHECKING:
    import apprise

# What separates the parts of a URL, any of which may be a token.
_BETWEEN_PARTS = re.compile(r"[:/@?&=#,;+\s]+")
_SHORTEST_SECRET: Final = 3
_LONGEST_REASON: Final = 300


def send(channel: AlertChannel, message: Message) -> None:
    """Deliver `message`, or say why not.

    Parameters
    ----------
    channel
        Where to.
    message
        What.

    Raises
    ------
    DeliveryError
        If the channel did not take it. No part of its URL is in the message of the error.
    """
    try:
        url = filled_in(channel.url, f"the channel {channel.name!r}")
    except ConfigError as error:
        raise DeliveryError(str(error)) from error
    failed = f"the channel {channel.name!r} did not take the message"
    said = _Reasons()
    logger = logging.getLogger("apprise")
    logger.addHandler(said)
    try:
        sender = _sender(channel, url)
        # A falsy answer is all that apprise says of a failure.
        taken = sender.notify(
            title=message.title,
            body=message.markdown if channel.format == "markdown" else message.text,
            body_format=channel.format,
            notify_type=_notify_type(message.kind),
        )
    except DeliveryError as error:
        raise DeliveryError(f"{error}{_because(said, url)}") from None
    except Exception as error:
        # Its text may hold the URL, and so may what it came from.
        why = without_secrets(f"{type(error).__name__}: {error}", url)
        raise DeliveryError(f"{failed}: {why}") from None
    finally:
        logger.removeHandler(said)
    if not taken:
        raise DeliveryError(f"{failed}{_because(said, url)}")


def check_channel(channel: AlertChannel) -> None:
    """Pass if `channel` names a service that is known; nothing is sent.

    Raises
    ------
    DeliveryError, ConfigError
        If not. No part of its URL is in the message.
    """
    url = filled_in(channel.url, f"the channel {channel.name!r}")
    logger, said = logging.getLogger("apprise"), _Reasons()
    logger.addHandler(said)
    try:
        _sender(channel, url)
    except DeliveryError as error:
        raise DeliveryError(f"{error}{_because(said, url)}") from None
    finally:
        logger.removeHandler(said)


def without_secrets(text: str, url: str) -> str:
    """`text` on one line, with each part of `url` but its scheme replaced by dots.

    Examples
    --------
    >>> without_secrets("403 from host with s3cret", "jsons://me:s3cret@host/path")
    '403 from … with …'
    """
    _, _, rest = url.partition("://")
    parts = {part for part in _BETWEEN_PARTS.split(rest) if len(part) >= _SHORTEST_SECRET}
    parts |= {unquote(part) for part in parts}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…")
    return shorten(text, _LONGEST_REASON)


class _Reasons(logging.Handler):
    """Keeps what apprise logs: it says why nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _because(said: _Reasons, url: str) -> str:
    return f": {without_secrets(' '.join(said.lines), url)}" if said.lines else ""


def _sender(channel: AlertChannel, url: str) -> apprise.Apprise:
    with warnings.catch_warnings():
        # On first use apprise loads all its plug-ins, some of which lean on what Python deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        asset = apprise.AppriseAsset(
            app_id="monitor", app_desc="monitor", async_mode=False, storage_mode="memory"
        )
        sender = apprise.Apprise(asset=asset)
        is_known = sender.add(url)
    if not is_known:
        raise DeliveryError(
            f"the URL of the channel {channel.name!r} is none that apprise knows "
            "(see https://appriseit.com/services/)"
        )
    return sender


def _notify_type(kind: MessageKind) -> str:
    return {
        MessageKind.WARNING: "warning",
        MessageKind.CRITICAL: "failure",
        MessageKind.RESOLVED: "success",
        MessageKind.TEST: "info",
    }[kind]
