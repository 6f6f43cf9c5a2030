"""How good a model is: realised from labels, estimated before they come. Pure.

`preparing` learns from the reference once, and knows what of it a baseline can keep; `assessing`
scores a period.
"""
