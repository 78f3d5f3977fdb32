"""What a run will take before it begins: by arithmetic and by rehearsal."""
