"""Where everything lies, a module per owner of words: ``Row.EVENTS_N`` is a word of a rider's row.

All state is int64 words. Offsets are given out one after another (`layout.words`), never written as numbers.
"""
