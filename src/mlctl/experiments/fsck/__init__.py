"""Whether every record of a run can be read, and all that it refers to can be had."""
