"""Model packages: directories in MLflow's format."""
