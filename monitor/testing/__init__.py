"""How a plug-in is tested: contract suites to subclass, and fakes to test with; see docs/plugins.md.

The suites need pytest. A suite is a class with tests; subclass it in a test module of yours and give the
fixtures that it names.
"""

import pytest
from lazy_loader import attach_stub

# Before the suites are imported, so that a failing assertion shows its values.
pytest.register_assert_rewrite(
    *(f"{__name__}.{suite}" for suite in ("distance", "encoder", "executor", "source"))
)
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
