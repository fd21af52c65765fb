"""Institutions played by other people's SOAP frameworks; a package, so that its fixtures end with its last test."""
