"""Files of users: taken in, handed out, sent to models, and swept away."""
