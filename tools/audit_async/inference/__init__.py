"""What names, functions and classes of a code base are."""
