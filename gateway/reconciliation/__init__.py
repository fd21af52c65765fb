"""Holds what this gateway did against what institutions list: intake, matching, closing, breaks, report."""
