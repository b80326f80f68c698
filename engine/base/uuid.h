/* Random UUIDs (RFC 9562, version 4). Any thread. */
#ifndef UUID_H
#define UUID_H

#define UUID_TEXT_BYTES 37 /* 36 characters and NUL */

void uuid_random(char text[UUID_TEXT_BYTES]);

#endif
