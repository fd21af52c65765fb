"""What two people decide when no machine can tell: an act in doubt, or a request that was given up."""
