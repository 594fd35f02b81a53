"""Reviews: an alert is contested, a person of the operator's answers within a time that runs."""
