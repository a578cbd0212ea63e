"""What all that reads or writes files builds on: checksums, zip files, and failpoints for tests of kills."""
