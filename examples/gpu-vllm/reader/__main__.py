"""Reads papers."""
