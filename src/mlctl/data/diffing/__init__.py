"""What differs between two versions of data: files, columns, labels and rows.

`files` and `columns` are pure; `rows` reads tables; `versions` finds what each side has.
"""
