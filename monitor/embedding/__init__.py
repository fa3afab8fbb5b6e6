"""Column ─► column: fetch, decode and encode side by side, in bounded memory."""

from lazy_loader import attach_stub

# Lazy, so that a process that only reads loads neither what puts columns together nor executors.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
