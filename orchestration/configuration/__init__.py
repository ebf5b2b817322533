"""Configuration files: which there are, what they may hold, and what holds in which week."""

from orchestration.configuration.configuration import Configuration
from orchestration.configuration.load import load_configuration
from orchestration.configuration.problems import ConfigurationError, Problem

__all__ = ["Configuration", "ConfigurationError", "Problem", "load_configuration"]
