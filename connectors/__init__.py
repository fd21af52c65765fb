"""One folder per institution; each holds all that is its own and nothing else. Connectors know no database and no clock."""
