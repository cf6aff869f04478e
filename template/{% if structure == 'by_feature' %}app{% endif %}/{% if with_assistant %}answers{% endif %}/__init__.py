"""Answers of language models to prompts."""
