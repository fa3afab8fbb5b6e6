"""Judged windows become alerts, and alerts reach people.

::

    WindowDrift ─► evaluate (rules) ─► Action ─► compose ─► Message ─► outbox ─► deliver ─► channels
                        └── open alerts ◄──────────── store ◄──────────────┘

Rules are pure: the same windows and the same known alerts give the same actions, so a window may be
evaluated again after a crash. Each message is queued once, in one transaction with its alert, and
delivered at least once.
"""

from lazy_loader import attach_stub

# Lazy, so that a config that only names channels loads neither apprise nor scipy.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
