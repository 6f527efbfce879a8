"""Real service desks beside a chain: installed, started and ended by us, and used as their own users do."""
