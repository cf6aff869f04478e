"""Use cases that span several CRUD calls."""
