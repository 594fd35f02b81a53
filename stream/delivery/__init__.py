"""Messages of the outlets on their way, in order and at least once, whatever the protocol."""
