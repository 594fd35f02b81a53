"""State that survives: checkpoints, restoring, what was published, shared memory."""
