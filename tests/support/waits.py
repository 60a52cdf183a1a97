"""A process that does nothing until it is ended: what a healthy child of the supervisor looks like from outside."""

import signal

if __name__ == "__main__":
    signal.pause()
