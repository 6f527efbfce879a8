"""Design and transition: designs services, validates their parts, and brings them into use by controlled changes."""
