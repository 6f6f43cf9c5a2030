"""The tables that monitors read, column by column."""
