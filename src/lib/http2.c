#include "http2.h"
typedef int http2_placeholder;
