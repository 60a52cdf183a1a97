"""A case: what the network believes is happening, building or expected in one place, and the work done about it.

Read events, then state, then the decisions in the order of a case's life: opening, linking, judging, consent and harm,
referral, ending.
"""
