"""One suite that every connector passes: what happens between a desk and us, and what must come of it."""
