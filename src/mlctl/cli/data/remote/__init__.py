"""The places where data is pushed to and pulled from."""
