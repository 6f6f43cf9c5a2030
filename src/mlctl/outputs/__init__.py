"""What the pipeline says of itself: metrics, parameters and plots, of any revision."""
