"""Files: replayed without a broker, or fed into the source topic."""
