"""The oracle: a brute-force reading of the contract, second by second, that imports nothing it judges."""
