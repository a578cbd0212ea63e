"""The starter data set and model: digits and small letters."""
