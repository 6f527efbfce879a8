"""Improve: measures how the chain performs, from what the other activities and the consumers say."""
