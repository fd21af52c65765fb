"""Keys, keyring, principals."""
