"""Messages of the contract <-> the domain's values, in this room only: a module for each file of the contract.

No decisions beyond “absent” and “unspecified”.
"""
