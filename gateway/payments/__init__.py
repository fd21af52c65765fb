"""What the citizen owes: intents, attempts, evidence."""
