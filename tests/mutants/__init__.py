"""Do the tests notice a change of the engine? `python -m tests.mutants` changes it, and asks them.

A mutant is a source file with one small change. The tests that cover the changed line run against
it; where none of them fails, the mutant is alive, and a test is missing, or the change changes
nothing (`equivalent.yaml`, with the reason).
"""
