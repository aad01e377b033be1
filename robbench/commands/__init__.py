"""The commands, one file each: what a user may type, and the calls that answer it.

A file here exports ``command``; the command line finds it by itself. ``GOES_ON = True`` says that what was
interrupted goes on when it is typed again; others start over.
"""
