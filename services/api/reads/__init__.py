"""What can be read, one module a question; `every` lists them."""
