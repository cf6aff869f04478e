"""Tests of the machinery in `app.core`, and what they share."""
