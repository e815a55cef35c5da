"""``python -m tinyconv`` is the `tinyconv` command."""

import sys

try:
    from tinyconv.cli import main

    main()
except KeyboardInterrupt:  # while the imports go on
    sys.exit(130)
