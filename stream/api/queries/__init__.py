"""What is asked of riders, alerts and partitions."""
