"""Detectors: verdicts as a function of evidence, policies and an instant.

Pure: no Kafka, no wall clock, no logging, no files. Numpy arrays come in, numpy records go out.
"""
