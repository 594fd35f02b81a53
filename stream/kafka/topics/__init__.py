"""Topics: their names, creation, settings, and who may use them."""
