"""The page where a team looks: what the store holds, in a browser, as JSON, and for agents.

::

    a request ─► Guard (who, from where) ─► pages, api ─► store
                                               │
                                   map, search ─► index of embedded rows
                                   pictures    ─► the feature's own policy

Reads everywhere; writes only acts, and only what people asked for. Nothing here judges a window.
"""

from monitor.web.access import Access
from monitor.web.app import create_app
from monitor.web.site import RowSource, Site

__all__ = ["Access", "RowSource", "Site", "create_app"]
