"""Everything that crosses a service boundary: the table of flows, the events, the commands from outside."""
