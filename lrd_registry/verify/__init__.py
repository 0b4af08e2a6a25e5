"""A live optimizer against an assignment: does each parameter get the rate asked for?"""
