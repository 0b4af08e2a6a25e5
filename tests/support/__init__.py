"""What the tests are made of, and no test: models, names of published networks, strategies."""
