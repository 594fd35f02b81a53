"""Compiled kernels over numpy state; a file per kind of limit. Callers have validated."""
