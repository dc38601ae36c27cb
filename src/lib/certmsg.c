#include "certmsg.h"
