"""Schemas: what the bytes on the topics and in the policy files mean."""
