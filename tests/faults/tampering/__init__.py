"""What can go wrong in a run, done to what a good one left behind: one module for each thing that the checker reads.

Each tampering stands beside the code under which the checker has to name it.
"""
