"""The adopted service has tests of its own, which run in its environment."""

collect_ignore = ["adopted", "service"]
