"""What stands of a rider: compared with what was told, told, sealed."""
