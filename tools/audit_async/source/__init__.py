"""Python files and their syntax trees."""
