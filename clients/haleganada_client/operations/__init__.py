"""What clients do, by subject. Every class here is a part of HaleganadaClient and of AsyncHaleganadaClient."""
