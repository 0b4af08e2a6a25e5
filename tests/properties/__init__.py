"""What holds for whatever Hypothesis makes up."""
