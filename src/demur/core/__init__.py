"""What every room stands on: records, settings, files, errors; it imports nothing above it."""
