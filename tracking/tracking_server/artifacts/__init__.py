"""The artifact store: one protocol, several stores."""
