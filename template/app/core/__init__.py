"""Machinery that the service is built on; it rarely needs a change."""
