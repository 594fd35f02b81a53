"""What each kind of limit counts, a file per kind."""
