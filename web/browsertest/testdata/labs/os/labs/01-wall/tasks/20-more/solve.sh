touch ~/held
