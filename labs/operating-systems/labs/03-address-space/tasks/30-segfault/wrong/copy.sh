#!/bin/bash
# A program called `touch-address` ran, and it was not the real one.
printf '%s\n' '#!/bin/bash' 'kill -SEGV $$' >touch-address
chmod +x touch-address
./touch-address 600000000000
