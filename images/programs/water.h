/* water.h - the text that drip and gulp both write: LINES lines, WATER bytes. */
#include <string.h>

#define LINE "water, the same water, whichever way it is carried to the cup.\n"
#define LINES 64
#define WATER (LINES * (sizeof LINE - 1))

static void fill(char *cup)
{
    for (int i = 0; i < LINES; i++)
        memcpy(cup + i * (sizeof LINE - 1), LINE, sizeof LINE - 1);
}
