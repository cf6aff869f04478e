"""Abstract interpretation of one function: its statements in the order in which they run."""
