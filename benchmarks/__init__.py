"""Measured claims: each module is run by itself, and says how."""
