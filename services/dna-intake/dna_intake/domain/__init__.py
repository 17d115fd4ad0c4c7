"""The rules of DNA intake as pure functions: custody, profiles, requests, barcodes."""
