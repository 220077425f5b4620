"""What the program does, without HTTP: operations that commit once, and policy as values."""
