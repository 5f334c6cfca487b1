# Makes the code of this folder importable from the tests.
