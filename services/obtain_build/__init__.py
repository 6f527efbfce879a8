"""Obtain/build: has components ready when and where they are needed: reused, built or bought."""
