"""What operators and regulators measure."""
