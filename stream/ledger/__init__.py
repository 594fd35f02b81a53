"""The record of holds: hash-chained, signed files of what was told, written from the topic of alerts."""
