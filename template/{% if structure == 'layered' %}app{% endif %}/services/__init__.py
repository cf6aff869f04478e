"""Use cases that span several CRUD functions."""
