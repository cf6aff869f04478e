"""Measurements, which come in batches."""
