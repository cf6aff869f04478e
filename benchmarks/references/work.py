"""What all references agree on."""

SECONDS_OF_OTHER_SERVICE = 0.2
