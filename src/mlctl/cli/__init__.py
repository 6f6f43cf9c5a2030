"""The command line: one file for each verb; it parses and shows, and decides nothing."""
