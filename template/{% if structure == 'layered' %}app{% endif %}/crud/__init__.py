"""Reading and writing rows: each function one thing, in the session it is given."""
