"""Why an input is refused, in words: the thing, the value and the remedy."""
