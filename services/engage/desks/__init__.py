"""The service desks that Engage listens to: is a push genuine, and what does it say of a ticket."""
