"""A drift report and its forms: frame, JSON, HTML, Markdown, pictures."""

from monitor.reports.findings import FeatureSummary, WindowDrift
from monitor.reports.report import DriftReport

__all__ = ["DriftReport", "FeatureSummary", "WindowDrift"]
