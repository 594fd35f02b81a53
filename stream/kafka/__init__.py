"""What speaks to Kafka: raw fetches, logs, producers, administration."""
