"""Who is told of alerts by webhook: what they ask for, where it may be sent, how they are kept."""
