"""Where riders lie: blocks, lookup by hash, pages, and the number that readers watch."""
