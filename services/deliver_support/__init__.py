"""Deliver and support: installs services, keeps the register of live ones, and restores them for their users."""
