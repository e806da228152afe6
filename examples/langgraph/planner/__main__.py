"""The graph starts here."""
