"""`python -m mlctl` is `mlctl`."""

from mlctl.cli.main import main

if __name__ == "__main__":
    main()
