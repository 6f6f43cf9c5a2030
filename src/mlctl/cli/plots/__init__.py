"""Show and compare the plots that the pipeline writes."""
