"""What reconciliation keeps: files as they were taken in, which acts they match, and what is left over."""
