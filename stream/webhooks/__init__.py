"""Alerts and statuses pushed to the platforms' own addresses, beside the workers."""
