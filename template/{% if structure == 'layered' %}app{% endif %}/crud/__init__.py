"""Create, read, update and delete rows; the functions flush and never commit."""
