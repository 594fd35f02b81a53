"""Decoded events taken into the sets of evidence."""
