"""Drift judges compared: ours and other tools', on the same windows, at the same measured level."""
