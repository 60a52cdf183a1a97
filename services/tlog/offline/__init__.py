"""What is put into every bundle, so that it can be verified where nothing of ours is installed."""
