"""What follows from a database that was put back from a backup: nothing with an effect is done on its word alone."""
