"""The other service that the mixed workload waits for."""

SECONDS_OF_OTHER_SERVICE = 0.2
