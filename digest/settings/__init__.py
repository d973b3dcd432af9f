"""Every setting of the program, from where it was set: `load()` reads the layers, `Settings` holds what came out."""

from digest.settings.home import home_directory
from digest.settings.load import load
from digest.settings.model import Settings

__all__ = ["Settings", "home_directory", "load"]
