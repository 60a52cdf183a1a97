"""The log's Merkle tree, kept so that it can be signed, and proofs be given, at any size."""
