"""What a turn of Prosa costs, side by side with a bare relay that does nothing but pass tokens on."""
