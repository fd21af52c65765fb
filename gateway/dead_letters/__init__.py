"""Dead letters: what the machine gave up on, and what may be done about each without doing anything twice."""
