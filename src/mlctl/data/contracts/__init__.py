"""Contracts: what a data set promises, as a committed file that is compiled to pandera."""
