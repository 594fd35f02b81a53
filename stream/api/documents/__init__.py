"""The answers as documents."""
