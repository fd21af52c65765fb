"""The commands of `jisr`, one subject a file."""
