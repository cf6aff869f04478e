"""The swept files are tests of a service, which run in it."""

collect_ignore = ["swept"]
