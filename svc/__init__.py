"""The command line and the one-machine runtime of the service value chain."""
