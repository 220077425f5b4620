"""A factor of our own: one module (``riddle``), one template, one line in the test."""
