"""The three verbs, wired: embed a frame, fit a baseline on it, judge another against it.

Each stands in its module (`embed`, `fit`, `detect`), so that who embeds does not wait for the statistics.
"""
