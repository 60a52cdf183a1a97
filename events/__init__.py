"""What happened and what may happen next: the domain, pure.

Nothing here waits, reads a clock, draws at random, logs or knows a database. Time, ids and facts from elsewhere come in
as arguments. Read in this order: vocabulary, event, sealed, refusals, envelope, catalogue; then places; then the nouns:
report, case/, reporter, reference, custody, level, alert.
"""
