"""The schedule as the database keeps it: who leads, what is due when, and what became of every tick."""
