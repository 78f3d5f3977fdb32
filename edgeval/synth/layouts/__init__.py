"""Generated films as data folders, one module for each benchmark's published layout."""
