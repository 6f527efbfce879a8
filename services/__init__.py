"""The six activities of the value chain, one package each, and the chassis they share."""
