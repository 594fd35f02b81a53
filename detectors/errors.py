"""Errors of the detectors.

DetectorError
├── InvalidLimit   a limit that cannot be judged; every fault in one message
└── CapacityError  a table of the rider store is full
"""


class DetectorError(Exception):
    """Any error of this package; callers catch the family."""


class InvalidLimit(DetectorError, ValueError):
    """A limit contradicts itself or asks for more than the kernels hold."""


class CapacityError(DetectorError, RuntimeError):
    """A table of the rider store cannot grow further."""
