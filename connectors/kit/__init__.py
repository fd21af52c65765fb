"""What every connector is made of: the contract, the transports, the codecs, the sandbox and the conformance suite."""
