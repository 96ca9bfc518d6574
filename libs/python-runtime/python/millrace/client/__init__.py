"""Drives a Millrace from Python through its command line, which is the one engine."""
