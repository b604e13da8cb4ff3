"""Deciding when to answer: signals combined and calibrated on questions kept for that."""
