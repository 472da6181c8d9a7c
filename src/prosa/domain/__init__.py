"""What the product is about, without the world: pure, frozen values and the rules between them."""
