"""What a chain must have kept, whatever has happened to it."""
