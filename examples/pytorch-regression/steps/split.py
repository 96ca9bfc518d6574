"""Rows are divided by their hash; nothing more is wanted here."""
