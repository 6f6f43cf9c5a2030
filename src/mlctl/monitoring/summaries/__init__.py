"""A column in numbers: exact values or frozen bins, for the reference and for each period.

`Numeric` and `Categorical` are what is left of a column's rows; two of one frame are compared
without the rows. A frame (`frames`) is what the reference freezes: edges, or categories.
"""
