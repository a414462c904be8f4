"""`python -m dummyllm`: the command line without the console script."""

from dummyllm.cli import run

if __name__ == "__main__":
    run()
