"""The error that ends the tool with one sentence."""


class Refused(Exception):  # noqa: N818 — the field's word for input that is not accepted
    """What is wrong, and what to do. Nothing was written."""
