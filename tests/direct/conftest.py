"""The compared files have tests of their own, which run in a service."""

collect_ignore = ["compared"]
