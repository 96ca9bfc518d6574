"""Trees need no scaling: `transformer_method` of the recipe is empty, and the columns pass as they are."""
