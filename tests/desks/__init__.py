"""Desks: what they send, how it is proved, and what is understood by it."""
