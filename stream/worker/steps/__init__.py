"""What a partition does with a chunk, step by step; `stream.worker.partition` has their order."""
