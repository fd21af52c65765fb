"""What is raised when no sample can be made."""


class NoSample(ValueError):
    """No valid instance was found: the message names the construct, in a clause ("the type a requires itself")."""
