"""The references: minimal services of other kinds on the same tables."""
