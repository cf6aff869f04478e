"""The service that is adopted has tests of its own, which run in its own environment."""

collect_ignore = ["adopted", "service"]
