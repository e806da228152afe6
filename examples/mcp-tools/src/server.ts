// Listens on PORT.
