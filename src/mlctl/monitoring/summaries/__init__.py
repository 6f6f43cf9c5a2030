"""A column in numbers: exact values or frozen bins, for the reference and for each period."""
