"""The added files belong in a service."""

collect_ignore = ["added"]
