"""The front door: the command line and the wiring, no logic."""
