"""What a model knows: probing with a crash-safe store, and estimators of the knowledge boundary."""
