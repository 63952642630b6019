"""What the models of a task share, whatever their framework: data, sizes, schedule."""
