"""From a contract to a connector package: reads a WSDL or an OpenAPI document, vendors it and writes the folder.

`import_wsdl` and `import_openapi` are the whole interface; what cannot be done is a `ContractRefused`.
"""
