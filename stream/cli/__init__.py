"""The command `respite`: a file per group of commands."""
