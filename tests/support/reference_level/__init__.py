"""The level computed the slow way: what projections/alert_level/__init__.py says, and nothing that its code does.

Nothing is kept from one moment to the next but what the definition itself looks back to: each row's level so far, when
a case was laid by, and what was said. At every event everything that is known of every case is read again from the
whole log, and at every event and every midnight every case is weighed anew. Numbers in comments are the definition's.
"""
