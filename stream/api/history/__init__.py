"""What was, hour by hour: counts that the API keeps itself, bounded, and over a restart."""
