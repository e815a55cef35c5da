"""The `tinyconv` command as pip installs it, outside of the package, which takes a while to import."""

import sys


def main() -> None:
    """Run the command; Ctrl-C while it is being imported ends it as later on, without a traceback."""
    try:
        from tinyconv.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
