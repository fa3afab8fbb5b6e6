"""The monitoring config: what is monitored, where its data lies and what counts as drift.

::

    monitor.yaml ─► strict YAML with line numbers ─► MonitoringConfig ─► JSON Schema for editors
"""

from monitor.config.data import DataConfig, DataFiles, ProductionData, ReadConfig
from monitor.config.json_schema import json_schema
from monitor.config.model import MonitoringConfig
from monitor.config.sections import (
    CacheConfig,
    DriftConfig,
    ReportConfig,
    RollingConfig,
    ScheduleConfig,
    StoreConfig,
)
from monitor.config.template import template

__all__ = [
    "CacheConfig",
    "DataConfig",
    "DataFiles",
    "DriftConfig",
    "MonitoringConfig",
    "ProductionData",
    "ReadConfig",
    "ReportConfig",
    "RollingConfig",
    "ScheduleConfig",
    "StoreConfig",
    "json_schema",
    "template",
]
