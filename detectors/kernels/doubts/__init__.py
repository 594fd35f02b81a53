"""Evidence that counts and may be wrong all the same: noted when it arrives, for counting."""
