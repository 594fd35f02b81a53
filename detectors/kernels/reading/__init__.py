"""Riders read beside the stream that writes them."""
