"""Prompts, which are answered."""
