"""Data: track it, import it, and write down what it promises."""
