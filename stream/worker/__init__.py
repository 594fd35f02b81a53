"""One worker process: its partitions, its place in the group, its end."""
