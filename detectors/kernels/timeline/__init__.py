"""A rider's state, stepped from instant to instant."""
