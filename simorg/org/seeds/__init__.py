"""Org definitions (YAML): read, checked, and written into an empty org."""
