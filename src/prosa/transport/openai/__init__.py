"""OpenAI's door: chat completions, embeddings and models, over any provider."""
