#!/bin/bash
# No child of `careless` had that PID.
printf '%s\n' '#!/bin/bash' 'exit 0 &' 'echo $!' 'wait' >careless
chmod +x careless
answer zombie "$(./careless)"
