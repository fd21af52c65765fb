"""What words mean: the canonical model, its vocabulary and the mapping engine. Knows no network and no database."""
