"""The added files have tests of their own, which run in the service."""

collect_ignore = ["added", "failing", "generated"]
