"""From where this process has embedded images, so that the same images can be shown and looked at again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from monitor.images import SourcePolicy

_MOST: Final = 256
_policies: dict[str, SourcePolicy] = {}
_lock = threading.Lock()


def remember_policy(source_column: str, policy: SourcePolicy) -> None:
    """Keep the policy that the images of `source_column` were last embedded under."""
    with _lock:
        _policies.pop(source_column, None)
        _policies[source_column] = policy
        while len(_policies) > _MOST:
            del _policies[next(iter(_policies))]


def remembered_policy(source_column: str | None) -> SourcePolicy | None:
    """The policy under which this process embedded `source_column`; None where it did not."""
    with _lock:
        return None if source_column is None else _policies.get(source_column)
