"""Pages to look at: what a run did, as one HTML file."""
