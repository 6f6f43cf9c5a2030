"""Show and compare the parameters that the pipeline reads."""
