"""`checkout ops`: the operator's command line, over the REST API alone."""
