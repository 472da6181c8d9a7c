"""What stands between people and models: masking, and moderation, each as a ChatModel around one."""
