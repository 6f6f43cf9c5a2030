"""Show and compare the metrics that the pipeline writes."""
