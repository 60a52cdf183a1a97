"""Power cuts: what was flushed stays, what was only written is gone."""
