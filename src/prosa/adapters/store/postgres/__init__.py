"""The store on Postgres: any number of processes, and users kept apart by the database itself."""
