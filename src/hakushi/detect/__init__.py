"""From bytes and text to findings. Pure; values never leave."""
