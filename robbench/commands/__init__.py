"""The commands, one file each: what a user may type, and the calls that answer it.

A file here exports ``command``; the command line finds it by itself.
"""
