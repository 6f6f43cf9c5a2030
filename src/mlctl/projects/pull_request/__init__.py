"""What a pull request changes of metrics, parameters, data, runs and plots."""
