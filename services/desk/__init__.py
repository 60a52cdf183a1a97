"""Where a command becomes events: read streams, decide, seal, write the wire form, append; again on a lost race.

An append names every stream that the decision read, also those it does not write, so that nothing it rested on can have
moved. A repeat answers as the first time, whatever has happened since.
"""
