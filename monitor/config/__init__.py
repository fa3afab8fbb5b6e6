"""The monitoring config: what is monitored, where its data lies and what counts as drift.

::

    monitor.yaml ─► strict YAML with line numbers ─► MonitoringConfig ─► JSON Schema for editors
"""

from monitor.config.model import MonitoringConfig
from monitor.config.schema import json_schema
from monitor.config.sections import DataConfig, DataFiles, DriftConfig, ReportConfig
from monitor.config.template import template

__all__ = [
    "DataConfig",
    "DataFiles",
    "DriftConfig",
    "MonitoringConfig",
    "ReportConfig",
    "json_schema",
    "template",
]
