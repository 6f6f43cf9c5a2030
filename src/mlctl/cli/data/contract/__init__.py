"""Contracts from and to the files of pandera."""
