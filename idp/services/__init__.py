"""What the program does, without HTTP: operations that commit once, and policy that returns values."""
