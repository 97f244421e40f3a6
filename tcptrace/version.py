"""`VERSION`: what `pyproject.toml`, `tcptrace.__version__` and `tcptrace --version` say."""

VERSION = "0.1.0"
