"""Takes a ticket, asks the model, writes the answer."""
