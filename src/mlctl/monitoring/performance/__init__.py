"""How good a model is: realised from labels, estimated before they come."""
