"""The checks, one file each; a new file here joins every audit."""
