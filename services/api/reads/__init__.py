"""What can be read, one module a question; adding a read is one line of its module's READS."""
