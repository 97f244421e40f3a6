"""What people see: the command line, its report, one connection shown, tables in every format."""
