"""One folder per institution, with all that is its own and nothing else. Connectors know no database and no clock."""
