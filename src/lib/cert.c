#include "cert.h"
