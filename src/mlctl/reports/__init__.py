"""HTML, Markdown and plots, shared by the areas."""
