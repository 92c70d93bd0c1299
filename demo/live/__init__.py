"""A town that is installed, claimed and kept by the commands that people use, on a folder for central's disk."""
