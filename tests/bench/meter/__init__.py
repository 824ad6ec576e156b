"""A meter for terminal programs: bytes, CPU, keys and pictures of a program in a real pty."""
