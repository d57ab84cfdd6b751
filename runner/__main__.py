"""`python -m runner` is `daksh-run`."""

from runner.cli.main import main

if __name__ == "__main__":
    main()
