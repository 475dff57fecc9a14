"""`python -m gridsched` is the command `gridsched`."""

from gridsched.cli import main

if __name__ == "__main__":
    main(prog_name="gridsched")
