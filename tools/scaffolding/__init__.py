"""Adds a resource with all its layers to a service: see `tools/scaffold.py`."""
