"""``python -m simorg``."""

from simorg.cli import main

main(prog_name="simorg")
