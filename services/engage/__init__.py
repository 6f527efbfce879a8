"""Engage: the door of the chain, for customers, users and every other party outside."""
