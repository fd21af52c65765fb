"""The lanes: one for each operation of each connector, with its places, pace, breaker, hours and queue."""
