"""Stream: connects Kafka, the schemas and the detectors."""
