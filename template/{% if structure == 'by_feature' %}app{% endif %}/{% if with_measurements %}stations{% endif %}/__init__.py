"""Stations, which hold sensors."""
