"""What a partition publishes: alerts, statuses, the watermark, dead letters."""
