"""`python -m tcptrace`: the same as the command `tcptrace`."""

from tcptrace.faces.cli import main

if __name__ == "__main__":
    main()
