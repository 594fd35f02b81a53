"""A week's report from the record of holds: figures, their definitions, and the hash that each rests on."""
