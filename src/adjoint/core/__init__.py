"""Values that remember how they were made: the op, the tensor, both passes. Read in one sitting."""
