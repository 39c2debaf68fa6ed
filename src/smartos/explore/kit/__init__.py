"""What every figure is made of: controls, frames, drawing, and the hosts that show them."""
