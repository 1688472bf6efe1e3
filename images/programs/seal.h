/* seal.h - numbers that belong to this sandbox and to one text, such as a PID: a
 * program leaves them where a check looks, and a process of another kind can't. */
#include <inttypes.h>

#include "seed.h"

/* seal hashes the sandbox's number h together with a text. */
static uint64_t seal(uint64_t h, const char *text)
{
    char both[192];

    int n = snprintf(both, sizeof both, "%016" PRIx64 ":%s", h, text);
    return fnv1a(both, (size_t)n);
}
