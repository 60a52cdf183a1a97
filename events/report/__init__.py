"""A report: one message from one source about one place and time.

Reviewers grade it in rounds; it can be corrected, withdrawn, or superseded when a better place lies in another home.
"""
