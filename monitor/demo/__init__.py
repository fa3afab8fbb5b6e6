"""The whole walk on images that it draws itself: render, serve, embed, fit, judge, report."""

from monitor.demo.run import run_demo

__all__ = ["run_demo"]
