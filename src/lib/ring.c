#include "ring.h"
typedef int ring_placeholder;
