"""A believable city, its faults, and the demonstration."""
