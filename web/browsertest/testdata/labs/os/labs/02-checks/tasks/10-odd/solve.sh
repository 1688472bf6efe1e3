touch ~/right
