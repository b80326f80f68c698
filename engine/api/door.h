/* The door: what is checked of every request before a handler sees it, from its head alone. */
#ifndef DOOR_H
#define DOOR_H

#include "request.h"

/* Refuses the request, or leaves it with route, parameters, caller and the limit of its body. On an HTTP
 * thread. */
void door_enter(struct request *request);

#endif
