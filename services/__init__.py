"""What runs: one folder a process or a part that a process is made of."""
