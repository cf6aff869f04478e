"""The migrations of the database, and how new ones are written."""
