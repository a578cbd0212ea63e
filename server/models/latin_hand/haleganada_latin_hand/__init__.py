"""The folder beside this file is a model that the server of Haleganada finds: latin-hand."""
