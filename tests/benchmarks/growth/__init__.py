"""`make bench GROW=1`: what an event costs as the history grows, on one stack whose history is grown step by step."""
