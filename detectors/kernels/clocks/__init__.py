"""From the events of an instant to what is open, and the merged spans of the clocks that it runs."""
