"""The image and the compose files on a container engine: ``make image-test``."""
