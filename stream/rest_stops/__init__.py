"""Rest stops by zone and hour, and the file they come from."""
