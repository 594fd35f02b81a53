"""What Kafka's clients raise, in words: their classes' names say nothing to who starts a command."""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl

_CODE = re.compile(r"\[Err(?:or|no) -?\d+\]:?\s*")
_CLASS = re.compile(r"\b(?:[a-z_]+\.)*[A-Z]\w*(?:Error|Exception)\b(?:\(\))?:?\s*")
_KNOWN = {"KafkaConnectionError": "the connection failed", "KafkaTimeoutError": "no answer in time"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+")


def in_words(error: BaseException) -> str:
    """What an error of a client, or of the way to the broker, says; without names of classes.

    >>> in_words(ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 9)"))
    'connection refused'
    >>> in_words(TimeoutError())
    'no answer in time'
    """
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {_plain(str(error))}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    if error.args and isinstance(error.args[0], BaseException):
        return in_words(error.args[0])
    name = type(error).__name__
    plain = name.removesuffix("Error").removeprefix("Kafka")
    words = _KNOWN.get(name) or " ".join(
        one if one.isupper() else one.lower() for one in _WORD.findall(plain)
    )
    said = _plain(str(error).replace(name, ""))
    return f"{words}: {said}" if said else words


def _plain(text: str) -> str:
    return _CLASS.sub("", _CODE.sub("", text)).strip(" :")


def quiet(library: str) -> None:
    """Let a client be silent: what it says of a broker out of reach, again and again, is said here, once."""
    logging.getLogger(library).setLevel(logging.CRITICAL)
