"""The steps from one version of the tables to the next; `monitor store migrate` takes them."""
