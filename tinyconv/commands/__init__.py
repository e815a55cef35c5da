"""Groups of commands below `tinyconv`, one file each."""
