touch ~/late
