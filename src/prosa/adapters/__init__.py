"""Who answers the ports: each folder bears the name of its port, and only bootstrap imports them."""
