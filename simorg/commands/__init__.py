"""The commands of ``simorg``, each loaded when it is called: see ``simorg.cli``."""
