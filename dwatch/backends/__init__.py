"""How batches reach their evaluation."""
