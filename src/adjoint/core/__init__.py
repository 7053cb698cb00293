"""Values that remember how they were made: the op, the tensor, the two passes. Read in one sitting."""
