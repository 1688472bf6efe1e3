#!/bin/bash
# That is what one process may map. The wall is that of all together.
answer the-wall "$(ulimit -v)"
