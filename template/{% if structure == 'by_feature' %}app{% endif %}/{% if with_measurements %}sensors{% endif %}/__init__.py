"""Sensors, which measure."""
