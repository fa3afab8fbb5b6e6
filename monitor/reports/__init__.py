"""A drift report and the forms it is told in: frame, JSON, HTML."""

from monitor.reports.report import DriftReport, FeatureSummary, WindowDrift

__all__ = ["DriftReport", "FeatureSummary", "WindowDrift"]
