"""An example shop whose data dwatch watches."""
