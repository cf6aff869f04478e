"""What features share."""
