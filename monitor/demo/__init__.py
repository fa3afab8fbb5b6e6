"""The whole walk on images that it draws itself: render, serve, embed, fit, judge, report."""

from monitor.demo.run import run_demo
from monitor.demo.shop import example_tables

__all__ = ["example_tables", "run_demo"]
