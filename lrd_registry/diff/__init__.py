"""What changes between two rule sets, or against timm's own grouping."""
