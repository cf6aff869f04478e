"""Tests of `app.core`, and the fixtures and helpers that all tests share."""
