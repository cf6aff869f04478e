"""Budgets, which hold credits."""
