"""The API as it is explained to people and programs: the OpenAPI document, its examples and code samples, its page."""
