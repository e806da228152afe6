"""Listens on PORT."""
