"""Projects, which hold tasks."""
