"""A monitor's reports: JSON, which is the truth, and what is drawn from it."""
