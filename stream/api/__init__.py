"""The API: what dispatchers, regulators, operators and the console ask, beside the workers."""
