"""Analysis: from outcome rows to curves with intervals; never imports torch."""
