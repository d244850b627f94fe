"""The only prose about a decision: a verdict, hold or record in; text, HTML and JSON-ready values out. Pure."""
