"""``python -m stream`` is ``respite``."""

from stream.cli.main import main

if __name__ == "__main__":
    main()
