"""Resolves names, functions and classes across the modules of a code base."""
